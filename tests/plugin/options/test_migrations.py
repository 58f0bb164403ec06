"""`harness_migrations`: tests of the migrations that no file holds; what they do is in `tests/plugin/migrations/`."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestMigrations(OptionLaws):
    """The laws of every option."""

    name = "migrations"
    first = "single_head"
    second = "upgrade"

    @pytest.fixture(autouse=True)
    def _a_history(self, project: Project) -> None:
        """What is asked for is there, and runs beside the law's own test, which is not counted."""
        (project.path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")

    def settled(self, project: Project, *arguments: str) -> tuple[str, str]:
        """Run only the law's own test."""
        return super().settled(project, *arguments, "-k", "test_probe")


@pytest.mark.parametrize("value", ["test_upgrade", "everything"])
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str) -> None:
    """Before any test runs."""
    project.write(test_it="def test_it(): pass")

    project.run(f"--harness-migrations={value}").assert_usage_error(
        f"harness_migrations does not know '{value}'", "valid: all, single_head, upgrade, up_down_up, models_match"
    )
