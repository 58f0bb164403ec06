"""What is read in the application, rather than met in a test."""

from __future__ import annotations

import pytest

from tests.support.guilty import ERROR, NOTHING, each_test, found, guilty
from tests.support.projects import Project


def test_it_has_a_section_of_its_own_and_fails_the_run(project: Project) -> None:
    """No test fails for it; the exit code says so, and the reason is given in words."""
    result = each_test(guilty(project, graph=True), good=NOTHING).run()

    assert (1, 1, 0) == (result.code, result.passed, result.failed), result.text
    result.assert_says(
        "read in the application\nH109 session not made per request (1 error)\n  shop/main.py:46 in read: ",
        "the run fails by H109, which no single test can be blamed for",
    )


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
def test_the_option_says_whether_it_fails(project: Project, fail_on: str, code: int) -> None:
    """As for what tests meet."""
    result = each_test(guilty(project, f"harness_fail_on = {fail_on}", graph=True), good=NOTHING).run()

    assert code == result.code, result.text
    assert bool(code) == ("the run fails by H109" in result.text)


def test_a_failing_test_and_a_failing_run_are_one_exit_code(project: Project) -> None:
    """Pytest's own for tests that failed."""
    result = each_test(guilty(project, graph=True), bad=ERROR).run()

    assert (1, 1) == (result.code, result.failed), result.text


def test_an_interrupted_run_keeps_its_exit_code(project: Project) -> None:
    """A finding does not hide that the run was cut short."""
    result = each_test(guilty(project, graph=True), cut=f"{NOTHING}; pytest.exit('enough', returncode=7)").run()

    assert 7 == result.code, result.text


@pytest.mark.parametrize("where", ["ini", "comment", "baseline"])
def test_it_can_be_accepted(project: Project, where: str) -> None:
    """By everything that is not about a test."""
    guilty(project, *(["harness_allow = H109:shop/*"] if where == "ini" else []), graph=True)
    each_test(project, good=NOTHING)
    main = project.path / "shop/main.py"
    if where == "comment":
        text = main.read_text().replace("-> None: ...", "-> None: ...  # harness: allow[H109] nobody calls it")
        main.write_text(text)
    baseline = ["--harness-baseline=accepted.json"] if where == "baseline" else []
    if baseline:
        project.run(*baseline, "--harness-baseline-update").assert_passed(1)

    project.run(*baseline).assert_passed(1)
    assert ("H109", where) in found(project)


def test_an_application_that_no_test_touched_is_not_read(project: Project) -> None:
    """A project's other tests cost nothing, and a run of them fails for nothing."""
    guilty(project, graph=True).write(test_it="def test_it(): pass")

    project.run().assert_passed(1)
    assert [] == found(project)


def test_collecting_only_reads_writes_and_fails_nothing(project: Project) -> None:
    """The report of the last run stays, and so does the baseline."""
    each_test(guilty(project, "harness_baseline = accepted.json", graph=True), good=NOTHING)
    project.run("--harness-baseline-update").assert_passed(1)
    before = [(project.path / name).read_text() for name in ("found.json", "accepted.json")]

    result = project.run("--harness-baseline-update", "--collect-only")

    assert 0 == result.code, result.text
    assert before == [(project.path / name).read_text() for name in ("found.json", "accepted.json")]
