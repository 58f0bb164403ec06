"""Budgets of properties: each example has the whole budget, and the one that hypothesis shows is the minimal one."""

from __future__ import annotations

import json

import pytest

from tests.support.orders import orders
from tests.support.projects import Project

_CONFTEST = """
    import pytest
    from hypothesis import given, settings, strategies as st
    from shop.models import Order, User

    settings.register_profile("here", max_examples=10, database=None, derandomize=True)
    settings.load_profile("here")
"""
_IMPORTS = """
            import pytest
            from hypothesis import given, strategies as st
            from hypothesis.stateful import RuleBasedStateMachine, rule
            from shop.main import SessionLocal
            from shop.models import Order, User
"""


def properties(project: Project, kind: str, source: str, *ini: str) -> Project:
    """The shop, and tests of it that hypothesis runs ten times each."""
    return orders(project, kind, *ini).write(conftest=_CONFTEST, test_it=_IMPORTS + source)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_example_has_the_whole_budget(project: Project, kind: str) -> None:
    """What all of them send together is not counted; what harness does between them is not either."""
    properties(
        project,
        kind,
        """
            @pytest.mark.harness(max_queries=2)
            @given(name=st.sampled_from(["ann", "bob", "eve"]))
            def test_sync(client, name):
                assert client.post(f"/users/{name}").status_code == 201
                client.get("/users/1")

            @pytest.mark.harness(max_queries=2)
            @given(name=st.sampled_from(["ann", "bob", "eve"]))
            async def test_async(async_client, name):
                assert (await async_client.post(f"/users/{name}")).status_code == 201
                await async_client.get("/users/1")
        """,
    )
    project.run_apart().assert_passed(2)


def test_the_failure_is_the_smallest_example(project: Project) -> None:
    """hypothesis shrinks what is over the budget like everything else, and the statements are those of that example."""
    properties(
        project,
        "sync",
        """
            @pytest.mark.harness(max_queries=4)
            @given(names=st.lists(st.sampled_from("abc"), max_size=6))
            def test_list(client, db_session, names):
                db_session.add_all([User(name=name) for name in names])
                db_session.commit()
                client.get("/users")
        """,
    )
    result = project.run_apart()

    assert (0, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "@pytest.mark.harness(max_queries=4): at most 4 queries expected, 5 were sent\n",
        "GET /users: 3 queries\n",
        "2 × SELECT FROM orders, lazy load of User.orders\n",
        "names=['a', 'a']",
    )
    assert "harness/run" not in result.text


def test_a_block_inside_an_example(project: Project) -> None:
    """`assert_queries` is one fixture for all examples, and each of them may open blocks."""
    properties(
        project,
        "sync",
        """
            @given(names=st.lists(st.sampled_from("abc"), max_size=3))
            def test_list(client, db_session, assert_queries, names):
                db_session.add_all([User(name=name) for name in names])
                db_session.commit()
                with assert_queries(1 + len(names)):
                    client.get("/users")
        """,
    )
    project.run().assert_passed(1)


def test_without_isolation_and_in_a_machine(project: Project) -> None:
    """The budget is each example's, whether or not it is undone; a run of a machine is one."""
    properties(
        project,
        "sync",
        """
            @pytest.mark.harness(max_queries=1, isolation="none")
            @given(n=st.integers())
            def test_committed(client, n):
                client.get(f"/users")

            class Machine(RuleBasedStateMachine):
                @rule()
                def look(self):
                    with SessionLocal() as session:
                        session.get(User, 1)

            @pytest.mark.harness(max_queries=3)
            class TestMachine(Machine.TestCase):
                pass
        """,
    )
    result = project.run()

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("at most 3 queries expected, 4 were sent", "outside of requests: 4 queries")


def test_the_ledger_has_no_properties(project: Project) -> None:
    """Which values are tried is chance, and a line of the ledger must be the same in each run."""
    properties(
        project,
        "sync",
        """
            @given(names=st.lists(st.sampled_from("abc"), max_size=3))
            def test_list(client, db_session, names):
                client.get("/users")

            def test_none(client):
                client.get("/users")
        """,
        "harness_queries = queries.json",
    )
    project.run("--harness-queries-record").assert_passed(2)
    recorded = json.loads((project.path / "queries.json").read_text())["counts"]
    assert ["test_it.py::test_none"] == [row["test"] for row in recorded]

    result = project.run()
    result.assert_passed(2)
    assert "not recorded" not in result.text
