"""`harness_select`: which rules judge the tests."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestSelect(OptionLaws):
    """The laws of every option."""

    name = "select"
    first = "H2"
    second = "H301"
    default = "stable"


@pytest.mark.parametrize(
    ("value", "near"),
    [("H2O1", "did you mean"), ("h301", "did you mean H301"), ("everything", "valid: H101"), ("H7", "valid: H101")],
)
def test_an_unknown_rule_is_refused_before_any_test(project: Project, value: str, near: str) -> None:
    """With near matches and all valid ones."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run(f"--harness-select={value}").assert_usage_error(
        f"harness_select does not know the rule '{value}'", "--harness-select", near, "or a prefix, such as H2"
    )


def test_nothing_left_is_refused(project: Project) -> None:
    """A gate that lets everything through must be meant."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-select=H301", "--harness-ignore=H3").assert_usage_error(
        "no rule is left to judge the tests", "harness_ignore = H"
    )
