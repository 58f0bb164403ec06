"""`harness_queries`: the file of counts; and `--harness-queries-record`, which writes it."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project

_NONE = '{"schema": "harness-queries/1", "databases": [], "counts": []}'


class TestQueries(OptionLaws):
    """The laws of every option."""

    name = "queries"
    first = "queries.json"
    second = "others.json"

    @pytest.fixture
    def project(self, project: Project) -> Project:
        """A project with two ledgers."""
        for name in (self.first, self.second):
            (project.path / name).write_text(_NONE)
        return project


def refused(project: Project) -> Project:
    """A project whose only test must not be reached."""
    return project.app().ini("harness_queries = queries.json").write(test_it="def test_it(): raise AssertionError")


def test_a_missing_file_is_refused_with_the_way_to_create_it(project: Project) -> None:
    """Before any test runs."""
    refused(project).run().assert_usage_error(
        "the query ledger queries.json does not exist", "pytest.ini", "--harness-queries-record"
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "the query ledger cannot be understood"),
        ('{"schema": "harness-queries/2"}', "is of schema 'harness-queries/2'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(project: Project, text: str, fact: str) -> None:
    """Also where it would be overwritten."""
    (refused(project).path / "queries.json").write_text(text)

    project.run().assert_usage_error(fact, "queries.json")
    project.run("--harness-queries-record").assert_usage_error(fact, "queries.json")


def test_recording_without_a_file_is_refused(project: Project) -> None:
    """The message has the line to write."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-queries-record").assert_usage_error(
        "--harness-queries-record has no file to write to", "harness_queries = harness-queries.json"
    )


def test_a_file_that_cannot_be_written_is_refused_at_the_start(project: Project) -> None:
    """Not after a long run."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-queries=no/such.json", "--harness-queries-record").assert_usage_error(
        "the query ledger no/such.json cannot be written", "there is no directory no"
    )


def test_recording_is_a_flag_only() -> None:
    """A file or a variable that says it would accept everything for ever."""
    from harness.config.options import OPTIONS

    assert "queries_record" not in {option.name for option in OPTIONS}
