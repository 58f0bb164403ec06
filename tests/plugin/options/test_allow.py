"""`harness_allow`: findings accepted by rule and path."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestAllow(OptionLaws):
    """The laws of every option."""

    name = "allow"
    first = "H301:shop/legacy/*"
    second = "H2:shop/old.py"


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        ("H301", "harness_allow 'H301' names no path"),
        ("shop/*", "harness_allow 'shop/*' names no rule"),
        ("H310:shop/*", "harness_allow does not know the rule 'H310'"),
    ],
)
def test_a_pattern_without_rule_or_path_is_refused(project: Project, value: str, fact: str) -> None:
    """Before any test runs, with the place of the option."""
    project.app().ini(f"harness_allow = {value}").write(test_it="def test_it(): raise AssertionError")

    project.run().assert_usage_error(fact, "pytest.ini")
