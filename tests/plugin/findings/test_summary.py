"""The section at the end of a run: what it shows at which verbosity, and where it does not appear."""

from __future__ import annotations

from tests.support.guilty import ERROR, INFO, NOTHING, WARNING, each_test, guilty
from tests.support.projects import Project, Result

HEADING = "= harness findings ="


def three(project: Project) -> Project:
    return each_test(guilty(project, "harness_fail_on = never"), error=ERROR, warning=WARNING, info=INFO)


def section(result: Result) -> list[str]:
    """The lines of the summary."""
    _, _, after = result.text.partition(HEADING)
    lines = after.splitlines()[1:]
    return lines[: next((number for number, line in enumerate(lines) if line.startswith("===")), None)]


def test_quiet_has_a_line_for_each_rule_that_found_errors(project: Project) -> None:
    """And nothing else."""
    (line, report, *_) = section(three(project).run("-q"))

    assert "H201 write never committed: 1 error, first at shop/main.py:29 in lose" == line
    assert "JSON report: found.json" == report


def test_by_default_errors_and_warnings_have_a_line_each(project: Project) -> None:
    """Grouped by rule; infos are counted."""
    told = "\n".join(section(three(project).run()))

    assert "H201 write never committed (1 error in 1 test)\n  shop/main.py:29 in lose: 1 write (INSERT INTO" in told
    assert "H202 changed attributes never committed (1 warning in 1 test)\n  shop/main.py:31 in rename: 1 " in told
    assert "H207" not in told
    assert "4 findings: 1 error, 1 warning, 2 info (-v shows them)" in told
    assert "pytest --harness-explain H201" in told
    assert "fix " not in told


def test_verbose_adds_infos_and_how_to_mend(project: Project) -> None:
    """One fix for each rule whose fixes are the same."""
    told = "\n".join(section(three(project).run("-v")))

    assert "H207 partial work committed (1 info in 1 test)" in told
    assert "  fix   commit once, at the end" in told
    assert "  seen " not in told


def test_twice_verbose_is_everything(project: Project) -> None:
    """Every block, infos too."""
    told = "\n".join(section(three(project).run("-vv")))

    assert 4 == told.count("  why   ") == told.count("  more  pytest --harness-explain")


def test_a_run_without_findings_has_no_section(project: Project) -> None:
    """Silence is the reward; not even an info was met."""
    result = each_test(guilty(project, "harness_ignore = H408"), good=NOTHING).run()

    result.assert_passed(1)
    assert [] == [line for line in section(result) if "JSON report" not in line]


def test_a_run_without_findings_and_reports_is_told_in_pytest_s_words_alone(project: Project) -> None:
    """No heading, no line."""
    guilty(project).ini("harness_app = shop.main:app", "harness_ignore = H408")
    result = each_test(project, good=NOTHING).run()

    result.assert_passed(1)
    assert HEADING not in result.text


def test_what_is_accepted_is_counted(project: Project) -> None:
    """With how it was accepted."""
    guilty(project, "harness_allow = H201:shop/*")
    result = each_test(project, one=ERROR, two=NOTHING).run()

    result.assert_passed(2)
    assert [] != [line for line in section(result) if "accepted" in line], result.text
