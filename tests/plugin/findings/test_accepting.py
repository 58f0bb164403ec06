"""What a run says of acceptances that nothing needed, and when it cannot know."""

from __future__ import annotations

import json

import pytest

from tests.support.guilty import ERROR, NOTHING, each_test, found, guilty
from tests.support.projects import Project


def accepted_in_vain(project: Project) -> Project:
    """A suite with a comment, a pattern and an entry of the baseline that accept nothing any more."""
    guilty(project, "harness_baseline = accepted.json", "harness_allow = H301:old/*")
    each_test(project, bad=ERROR, good=NOTHING)
    project.run("--harness-baseline-update").assert_passed(2)
    main = project.path / "shop/main.py"
    text = main.read_text().replace("db.flush()", "db.commit()")
    main.write_text(text.replace("def names(", "# harness: allow[H301] by hand\ndef names("))
    return project


def unused(project: Project) -> int:
    return [code for code, _ in found(project)].count("H901")


def test_all_kinds_are_told_by_the_whole_suite(project: Project) -> None:
    """As warnings, with what to take away."""
    result = accepted_in_vain(project).run()

    result.assert_passed(2)
    assert 3 == unused(project), result.text
    result.assert_says("H901 unused allowance (3 warnings)", "# harness: allow[H301]", "H301:old/*", "accepted.json")


@pytest.mark.parametrize(
    "arguments",
    [("-k", "good"), ("-m", "not slow"), ("--deselect=test_it.py::test_bad",), ("test_it.py",), ("--ignore=other",)],
    ids=" ".join,
)
def test_a_part_of_the_suite_tells_nothing(project: Project, arguments: tuple[str, ...]) -> None:
    """The rest may need it."""
    result = accepted_in_vain(project).run(*arguments)

    assert 0 == result.code, result.text
    assert 0 == unused(project), result.text


@pytest.mark.parametrize("other", ["assert False", "pytest.skip('not here')", "pytest.exit('enough', returncode=0)"])
def test_a_test_that_could_not_meet_all_makes_it_a_part(project: Project, other: str) -> None:
    """It failed for reasons of its own, was skipped, or the run ended there."""
    accepted_in_vain(project)
    each_test(project, other=other, good=NOTHING).run()

    assert 0 == unused(project)


def test_a_test_that_a_finding_failed_has_met_all(project: Project) -> None:
    """It ran to its end."""
    accepted_in_vain(project)
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("user.name = name", "db.add(User(name=name)); db.flush()"))
    result = each_test(project, good=NOTHING, bad=f'{NOTHING}; client.post("/rename/eve")').run()

    assert (1, 1) == (result.code, result.failed), result.text
    assert 3 == unused(project)


def test_an_unused_one_fails_the_run_where_warnings_do(project: Project) -> None:
    """No test can be blamed."""
    result = accepted_in_vain(project).run("--harness-fail-on=warning")

    assert (1, 2, 0) == (result.code, result.passed, result.failed), result.text
    result.assert_says("the run fails by H901, which no single test can be blamed for")


def entries(project: Project) -> list[str]:
    data = json.loads((project.path / "accepted.json").read_text())
    return [entry["code"] for entry in data["findings"]]


def test_an_update_by_a_part_of_the_suite_takes_nothing_away(project: Project) -> None:
    """Only the whole suite knows that an entry holds no more."""
    accepted_in_vain(project)
    assert ["H201"] == entries(project)

    project.run("--harness-baseline-update", "-k", "good").assert_passed(1)
    assert ["H201"] == entries(project)

    result = project.run("--harness-baseline-update")
    result.assert_passed(2)
    assert [] == entries(project)
    result.assert_says("baseline accepted.json: 0 added, 1 removed, 0 kept")
