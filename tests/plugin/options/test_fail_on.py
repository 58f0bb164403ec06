"""`harness_fail_on`: which findings fail the test in which they arise."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestFailOn(OptionLaws):
    """The laws of every option."""

    name = "fail_on"
    first = "warning"
    second = "never"
    default = "error"


@pytest.mark.parametrize(("value", "near"), [("warn", "did you mean 'warning'?"), ("Error", "did you mean 'error'?")])
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str, near: str) -> None:
    """Before any test runs."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run(f"--harness-fail-on={value}").assert_usage_error(
        f"harness_fail_on does not know '{value}'", near, "valid: error, warning, never"
    )
