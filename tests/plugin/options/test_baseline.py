"""`harness_baseline`: the file of accepted findings; and `--harness-baseline-update`, which writes it."""

from __future__ import annotations

import json

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project
from tests.support.rules import nothing_allowed

_NONE = '{"schema": "harness-baseline/1", "findings": []}'


class TestBaseline(OptionLaws):
    """The laws of every option."""

    name = "baseline"
    first = "accepted.json"
    second = "others.json"

    @pytest.fixture
    def project(self, project: Project) -> Project:
        """A project with two baseline files."""
        for name in (self.first, self.second):
            (project.path / name).write_text(_NONE)
        return project


def guilty(project: Project) -> Project:
    """A project whose only test meets H201."""
    return (
        nothing_allowed(project.app())
        .ini("harness_app = shop.main:app", "harness_baseline = accepted.json")
        .write(
            test_it="""
            def test_forgetful(client):
                client.post("/forgetful/ann")
        """
        )
    )


def refused(project: Project) -> Project:
    """A project whose only test must not be reached."""
    return project.app().ini("harness_baseline = accepted.json").write(test_it="def test_it(): raise AssertionError")


def test_a_missing_file_is_refused_with_the_way_to_create_it(project: Project) -> None:
    """Before any test runs."""
    refused(project).run().assert_usage_error(
        "the baseline file accepted.json does not exist", "pytest.ini", "--harness-baseline-update"
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "the baseline file cannot be understood"),
        ('{"schema": "harness-baseline/2"}', "is of schema 'harness-baseline/2'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(project: Project, text: str, fact: str) -> None:
    """Also where it would be overwritten."""
    (refused(project).path / "accepted.json").write_text(text)

    project.run().assert_usage_error(fact, "accepted.json")
    project.run("--harness-baseline-update").assert_usage_error(fact, "accepted.json")


def test_an_update_without_a_file_is_refused(project: Project) -> None:
    """The message has the line to write."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-baseline-update").assert_usage_error(
        "--harness-baseline-update has no file to write to", "harness_baseline = harness-baseline.json"
    )


def test_an_update_that_cannot_be_written_is_refused_at_the_start(project: Project) -> None:
    """Not after a long run."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-baseline=no/such.json", "--harness-baseline-update").assert_usage_error(
        "the baseline file no/such.json cannot be written", "there is no directory no"
    )


def test_what_an_update_has_accepted_passes_and_what_is_new_fails(project: Project) -> None:
    """Also when lines have moved since."""
    guilty(project).run("--harness-baseline-update").assert_passed(1)
    (entry,) = json.loads((project.path / "accepted.json").read_text())["findings"]
    assert ("H201", "shop/main.py", "forget") == (entry["code"], entry["path"], entry["function"])

    main = project.path / "shop/main.py"
    main.write_text(f"# moved\n\n{main.read_text()}")
    project.run().assert_passed(1)

    main.write_text(main.read_text().replace("def forget(", "def forget_all("))
    result = project.run()
    assert 1 == result.failed + result.errors, result.text
    result.assert_says("H201")


def test_the_update_is_a_flag_only() -> None:
    """A file or a variable that says it would accept everything for ever."""
    from harness.config.options import OPTIONS

    assert "baseline_update" not in {option.name for option in OPTIONS}
