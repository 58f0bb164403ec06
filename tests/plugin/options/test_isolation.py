"""`harness_isolation`: how tests are kept apart."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestIsolation(OptionLaws):
    """The laws of every option."""

    name = "isolation"
    first = "none"
    second = "rollback"
    default = "rollback"


@pytest.mark.parametrize("value", ["rolback", "Rollback", "savepoint"])
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str) -> None:
    """Before any test runs."""
    project.write(test_it="def test_it(): pass")

    project.run(f"--harness-isolation={value}").assert_usage_error(
        f"harness_isolation does not know '{value}'", "valid: rollback", "none"
    )


def test_a_near_value_is_suggested(project: Project) -> None:
    """A slip of the finger is recognised."""
    project.write(test_it="def test_it(): pass")

    project.run("--harness-isolation=rolback").assert_usage_error("did you mean 'rollback'?")


@pytest.mark.parametrize(("value", "second"), [("rollback", []), ("none", ["ann"])])
def test_what_a_test_leaves(project: Project, value: str, second: list[str]) -> None:
    """Nothing with `rollback`, its rows with `none`."""
    project.app().ini("harness_app = shop.main:app", f"harness_isolation = {value}").write(
        test_it=f"""
            def test_first(client):
                client.post("/users/ann")

            def test_second(client):
                assert client.get("/users").json() == {second}
        """
    )
    project.run().assert_passed(2)
