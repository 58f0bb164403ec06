"""`harness_allow_database`: a database that may be used although its name does not say that it is for tests."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestAllowDatabase(OptionLaws):
    """The laws of every option."""

    name = "allow_database"
    first = "sqlite:///shop.db"
    second = "postgresql://*/shop"


@pytest.mark.parametrize("pattern", ["sqlite:///shop.db", "sqlite:///*.db", "*"])
def test_an_allowed_database_is_used(project: Project, pattern: str) -> None:
    """By its whole URL, or by a pattern of it."""
    project.app().ini("harness_app = shop.main:app", f"harness_allow_database = {pattern}").write(
        test_it="def test_it(client):\n    assert client.post('/users/ann').status_code == 201\n"
    )
    project.run("--harness-database=sqlite:///shop.db").assert_passed(1)


def test_another_one_is_still_refused(project: Project) -> None:
    """The pattern allows what it matches."""
    project.app().ini("harness_app = shop.main:app", "harness_allow_database = sqlite:///other.db").write(
        test_it="def test_it(client): pass"
    )
    project.run("--harness-database=sqlite:///shop.db").assert_usage_error(
        "the file 'shop.db' does not look like a test database"
    )
    assert not (project.path / "shop.db").exists()


def test_what_harness_makes_itself_needs_no_permission(project: Project) -> None:
    """Said together on one command line, they contradict each other."""
    project.write(test_it="def test_it(): pass")

    project.run("--harness-allow-database=*", "--harness-database=sqlite").assert_usage_error(
        "--harness-allow-database has no use with --harness-database=sqlite"
    )
