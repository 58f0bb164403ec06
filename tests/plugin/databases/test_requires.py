"""`@pytest.mark.harness(requires=…)`: a test whose database cannot do what it needs is skipped, and told why."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.database.capabilities import CAPABILITIES, Capability
from tests.support.projects import Project

BOTH = ("--harness-database=sqlite", "--harness-database=sqlite:///other_test.db")


def _written(project: Project, marker: str, before: str = "") -> Project:
    return project.app().write(
        test_it=f"import pytest\n{before}\n@pytest.mark.harness({marker})\ndef test_it(db_url): pass\n"
    )


@pytest.mark.parametrize(
    "requires", ["'savepoints'", "['savepoints', 'returning']", "{'savepoints'}", "('savepoints',)"]
)
def test_what_is_there_runs(project: Project, requires: str) -> None:
    """One capability as a string, several as a list."""
    _written(project, f"requires={requires}").run("-rs").assert_passed(1)


@pytest.mark.parametrize(
    ("requires", "told"),
    [("'jsonb'", "jsonb"), ("['savepoints', 'jsonb', 'arrays']", "jsonb, arrays")],
)
def test_what_is_not_there_is_skipped_and_named(project: Project, requires: str, told: str) -> None:
    """With the database and what it has not."""
    result = _written(project, f"requires={requires}").run("-rs")

    assert (0, 0, 0, 0) == (result.code, result.passed, result.failed, result.errors), result.text
    result.assert_says(f"sqlite has no {told}, which @pytest.mark.harness(requires=…) names", "1 skipped")


def test_each_database_is_asked(project: Project) -> None:
    """The name in the message is that of the id."""
    result = _written(project, "requires='listen_notify'").run("-rs", *BOTH)

    result.assert_says("sqlite has no listen_notify", "sqlite_other_test has no listen_notify", "2 skipped")
    result.assert_says("1 test skipped where the database has not what they require", "0 tests ran on sqlite and")


def test_markers_of_class_and_module_add_up(project: Project) -> None:
    """A closer one takes nothing back."""
    before = "pytestmark = pytest.mark.harness(requires='jsonb')"
    result = _written(project, "requires='savepoints'", before).run("-rs")

    result.assert_says("sqlite has no jsonb", "1 skipped")


def test_without_any_other_sign_of_harness(project: Project) -> None:
    """Also in a project that has it merely installed."""
    project.write(
        test_it="import pytest\n@pytest.mark.harness(requires='arrays')\ndef test_it(): raise AssertionError\n"
    )
    result = project.run_apart("-rs", plugin=False)

    result.assert_says("sqlite has no arrays", "1 skipped")


@pytest.mark.parametrize(
    ("requires", "fragments"),
    [
        (
            "'savepoint'",
            ("does not know the capability 'savepoint'", "did you mean 'savepoints'?", "jsonb, listen_notify"),
        ),
        ("['jsonb', 'magic']", ("does not know the capability 'magic'", "valid: advisory_locks, arrays")),
        ("'savepoints|jsonb'", ("does not know the capability 'savepoints|jsonb'",)),
        ("[]", ("takes a capability or a list of them, not []", "requires='savepoints'")),
        ("''", ("takes a capability or a list of them, not ''",)),
        ("7", ("takes a capability or a list of them, not 7",)),
        ("None", ("takes a capability or a list of them, not None",)),
        ("['jsonb', 1]", ("takes a capability or a list of them, not ['jsonb', 1]",)),
    ],
)
def test_a_capability_that_does_not_exist_is_a_usage_error(
    project: Project, requires: str, fragments: tuple[str, ...]
) -> None:
    """Before any test runs: a slip of the pen would skip the test for ever."""
    result = _written(project, f"requires={requires}").run()

    result.assert_usage_error("test_it.py::test_it", *fragments)


def test_a_conftest_decides_on_the_database_first(project: Project) -> None:
    """What its fixture says counts, not the option."""
    _written(project, "requires='jsonb'").write(
        conftest="""
            import pytest

            @pytest.fixture(scope="session")
            def harness_database_url():
                return "sqlite:///mine_test.db"
        """
    )
    result = project.run("-rs", "--harness-database=postgres")

    result.assert_says("has no jsonb", "1 skipped")


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda capability: capability.name)
def test_the_manual_shows_the_table(capability: Capability) -> None:
    """Every row, with the databases that have it."""
    manual = (Path(harness.__file__).parent.parent / "docs/two-databases.md").read_text()
    cells = ["yes" if name in capability.has else "no" for name in ("sqlite", "postgres", "mariadb", "mysql")]

    assert f"| `{capability.name}` | {capability.means} | {' | '.join(cells)} |" in manual
