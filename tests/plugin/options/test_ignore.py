"""`harness_ignore`: which rules do not judge the tests."""

from __future__ import annotations

from tests.support.options import OptionLaws
from tests.support.projects import Project
from tests.support.rules import nothing_allowed


class TestIgnore(OptionLaws):
    """The laws of every option."""

    name = "ignore"
    first = "H2"
    second = "H301"


def test_an_unknown_rule_is_refused_before_any_test(project: Project) -> None:
    """With near matches and the place of the option."""
    project.app().ini("harness_ignore = H310").write(test_it="def test_it(): raise AssertionError")

    project.run().assert_usage_error("harness_ignore does not know the rule 'H310'", "pytest.ini", "did you mean H301")


def test_all_rules_can_be_switched_off(project: Project) -> None:
    """By saying so: nothing is found then, and nothing fails."""
    nothing_allowed(project.app()).ini("harness_app = shop.main:app", "harness_ignore = H").write(
        test_it="""
            def test_forgetful(client):
                client.post("/forgetful/ann")
        """
    )
    result = project.run()

    result.assert_passed(1)
    assert "H201" not in result.text, result.text
