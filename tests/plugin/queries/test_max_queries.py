"""`@pytest.mark.harness(max_queries=…)`: a budget for a whole test."""

from __future__ import annotations

import pytest

from tests.support.orders import orders
from tests.support.projects import Project


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_test_holds_its_budget(project: Project, kind: str) -> None:
    """Requests and what the test itself sends count, what fixtures send does not; the failure is a budget's."""
    orders(project, kind).write(
        test_it="""
            import pytest
            from sqlalchemy import text

            @pytest.mark.harness(max_queries=5)
            def test_enough(client, three, db_session):
                client.get("/users")
                db_session.execute(text("SELECT 1"))

            @pytest.mark.harness(max_queries=3)
            async def test_too_few(async_client, three):
                await async_client.get("/users")
        """
    )
    result = project.run_apart()

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "harness: @pytest.mark.harness(max_queries=3): at most 3 queries expected, 4 were sent\n\n"
        "GET /users: 4 queries\n"
        "  3 × SELECT FROM orders, lazy load of User.orders\n",
        "FAILED test_it.py::test_too_few - Failed: harness: @pytest.mark.harness(max_queries=3)",
    )
    assert "harness/run" not in result.text


def test_the_closest_budget_holds_and_a_failure_of_the_test_is_the_news(project: Project) -> None:
    """A class may have a budget, and one of its tests another one."""
    orders(project).write(
        test_it="""
            import pytest

            @pytest.mark.harness(max_queries=0)
            class TestShop:
                @pytest.mark.harness(max_queries=4)
                def test_list(self, client, three):
                    client.get("/users")

                def test_broken(self, client, three):
                    client.get("/users")
                    raise LookupError("the real problem")
        """
    )
    result = project.run()

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("LookupError: the real problem")
    assert "at most 0 queries" not in result.text


def test_a_budget_starts_harness(project: Project) -> None:
    """Also where it is only installed: a budget that nobody counted for would always hold."""
    project.app().write(
        test_it="""
            import pytest
            from sqlalchemy import create_engine, text

            engine = create_engine("sqlite:///production.db")

            @pytest.mark.harness(max_queries=1)
            def test_it():
                with engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
                    connection.execute(text("SELECT 2"))
        """
    )
    result = project.run_apart(plugin=False)

    assert 1 == result.failed, result.text
    result.assert_says("at most 1 query expected, 2 were sent", "outside of requests: 2 queries")


@pytest.mark.parametrize("value", ["-1", "True", "2.0", "'2'", "None"])
def test_a_wrong_value_is_a_usage_error(project: Project, value: str) -> None:
    """Before any test runs, with the test's id."""
    project.write(
        test_it=f"import pytest\n@pytest.mark.harness(max_queries={value})\ndef test_it(): raise AssertionError\n"
    )

    project.run().assert_usage_error(
        f"@pytest.mark.harness(max_queries=…) takes a whole number from 0 on, not {value}",
        "test_it.py::test_it",
        "@pytest.mark.harness(max_queries=5)",
    )
