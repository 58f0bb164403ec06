"""`--harness-explain`: the manual of a rule, instead of a run."""

from __future__ import annotations

import pytest

from tests.support.projects import Project


def project_that_must_not_run(project: Project) -> Project:
    """Its conftest, test and options all fail if they are used."""
    return project.ini("harness_isolation = magic").write(test_it="raise AssertionError('collected')")


def test_a_code_prints_its_manual(project: Project) -> None:
    """What, why, wrong and right, fix, how to allow; and no test runs, whatever else is configured."""
    result = project_that_must_not_run(project).run("--harness-explain=H203")

    assert 0 == result.code, result.text
    result.assert_says("H203  commit after the response", "Why\n", "Wrong\n", "Right\n", "Fix\n")
    result.assert_says("# harness: allow[H203] reason", "harness_ignore = H203")
    assert "collected" not in result.text, result.text


def test_the_value_may_stand_for_itself(project: Project) -> None:
    """As in the manual: `--harness-explain H203`."""
    result = project.run("--harness-explain", "H203")

    assert 0 == result.code, result.text
    result.assert_says("H203  commit after the response")


@pytest.mark.parametrize(("prefix", "shown", "not_shown"), [("H2", "H201  error", "H301"), ("H", "H301  error", "!")])
def test_a_prefix_lists_its_rules(project: Project, prefix: str, shown: str, not_shown: str) -> None:
    """One line each."""
    result = project.run(f"--harness-explain={prefix}")

    assert 0 == result.code, result.text
    result.assert_says(shown)
    assert not_shown not in result.text, result.text


def test_an_unknown_code_is_a_usage_error(project: Project) -> None:
    """With near matches."""
    project_that_must_not_run(project).run("--harness-explain=H310").assert_usage_error(
        "--harness-explain does not know the rule 'H310'", "did you mean H301"
    )


def test_help_shows_the_flags(project: Project) -> None:
    """Both that have no key in a file."""
    result = project.run("--help")

    result.assert_says("--harness-explain=CODE", "--harness-baseline-update")
    assert "harness_explain" not in result.text, result.text
