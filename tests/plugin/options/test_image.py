"""`harness_image`: the container image of the database server."""

from __future__ import annotations

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestImage(OptionLaws):
    """The laws of every option."""

    name = "image"
    first = "postgres:16"
    second = "postgres:15"


def test_an_image_for_a_database_that_needs_none_is_a_conflict(project: Project) -> None:
    """Said together on one command line, they contradict each other."""
    project.write(test_it="def test_it(): pass")
    result = project.run("--harness-image=postgres:16", "--harness-database=sqlite")

    result.assert_usage_error("--harness-image=postgres:16 has no use with --harness-database=sqlite", "leave out one")


def test_a_url_in_the_conflict_is_shown_without_its_secrets(project: Project) -> None:
    """The message names the kind of database only."""
    project.write(test_it="def test_it(): pass")
    result = project.run("--harness-image=postgres:16", "--harness-database=postgresql://ann:hunter2@h/app_test")

    result.assert_usage_error("--harness-image=postgres:16 has no use")
    assert "hunter2" not in result.text


def test_a_file_may_prepare_for_both(project: Project) -> None:
    """An image in the project's configuration does not forbid a run on SQLite."""
    project.ini("harness_image = postgres:16").write(test_it="def test_it(): pass")

    project.run("--harness-database=sqlite").assert_passed(1)
