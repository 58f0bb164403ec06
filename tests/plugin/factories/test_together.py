"""Factories and what else belongs to the test's transaction: hypothesis' examples, budgets, and a test without one."""

from __future__ import annotations

import pytest

from tests.support.factories import shop
from tests.support.projects import Project

_GIVEN = """
            import pytest
            from hypothesis import HealthCheck, given, settings, strategies as st
            from factories import BuyerFactory, OrderFactory, SameFactory, UserFactory
            from shop.models import User

            few = settings(max_examples=20, database=None, derandomize=True)
            names = st.sampled_from(["ann", "bob"])
            ran = []

            @pytest.fixture(autouse=True)
            def eve(db_session):
                return UserFactory(name="eve")
"""


def test_each_example_starts_without_the_rows_of_the_last(project: Project) -> None:
    """Neither in the database nor in the session, whether or not the test asks for one; a fixture's rows are there."""
    shop(project).write(
        test_it=_GIVEN.replace("(autouse=True)", "")
        + """
            @few
            @given(name=names)
            def test_in_the_tests_session(client, db_session, name):
                assert list(db_session) == []
                ann = BuyerFactory(name=name)
                assert [order.user for order in ann.orders] == [ann, ann]
                assert OrderFactory(user=ann) in db_session
                assert client.get("/users").json() == [name]

            @few
            @given(name=names)
            def test_in_a_session_of_its_own(client, name):
                ran.append(name)
                ann = UserFactory(name=name)
                assert SameFactory(name=name) is ann
                assert client.get("/users").json() == [name]

            @settings(few, suppress_health_check=[HealthCheck.function_scoped_fixture])
            @given(name=names)
            def test_with_a_fixture(client, eve, name):
                assert (eve.name, len(eve.orders)) == ("eve", 0)
                OrderFactory(user=eve)
                eve.name = name
                UserFactory(name="gus")
                assert client.get("/users").json() == [name, "gus"]

            def test_all_of_them_ran():
                assert len(ran) > 1
        """
    )
    project.run("-p", "hypothesispytest").assert_passed(4)


def test_asynchronous_examples(project: Project) -> None:
    """Awaited or not."""
    shop(project, "async").write(
        test_it=_GIVEN.split("            @pytest.fixture")[0]
        + """
            import harness as library

            @few
            @given(name=names)
            async def test_it(async_client, async_db_session, name):
                assert list(async_db_session) == []
                ann = await library.create(UserFactory, name=name)
                assert OrderFactory(user=ann).user_id == ann.id
                assert (await async_client.get("/users")).json() == [name]
        """
    )
    project.run_apart("-p", "hypothesispytest").assert_passed(1)


def test_an_example_that_breaks_the_transaction(project: Project) -> None:
    """Does not reach the next one's factories."""
    shop(project).write(
        test_it=_GIVEN.split("            @pytest.fixture")[0]
        + """
            from sqlalchemy.exc import IntegrityError

            @few
            @given(name=names)
            def test_it(client, name):
                UserFactory(name=name)
                with pytest.raises(IntegrityError):
                    UserFactory(name=name)
        """
    )
    project.run("-p", "hypothesispytest").assert_passed(1)


def test_a_budget_counts_what_factories_send_as_what_the_test_sends(project: Project) -> None:
    """One statement for each row; what a request sends can be counted alone."""
    shop(project).write(
        test_it="""
            from factories import OrderFactory, UserFactory

            def test_it(client, db_session, assert_queries):
                with assert_queries(2):
                    OrderFactory()
                with assert_queries(1, of="GET /users"):
                    UserFactory(name="bob")
                    client.get("/users")
                with assert_queries(0):
                    UserFactory.build()
        """
    )
    project.run().assert_passed(1)


@pytest.mark.parametrize("persistence", ["flush", "commit"])
def test_a_test_that_is_not_isolated(project: Project, persistence: str) -> None:
    """Sends and commits for real: what a factory commits is there, what it only flushes is the test's to commit."""
    shop(project).write(
        test_it=f"""
            import pytest
            from factories import UserFactory

            class Persistent(UserFactory):
                class Meta:
                    sqlalchemy_session_persistence = {persistence!r}

            @pytest.mark.harness(isolation="none")
            def test_it(client, db_session):
                ann = Persistent(name="ann")
                assert ann in db_session
                {"db_session.commit()" if persistence == "flush" else ""}
                assert client.get("/users").json() == ["ann"]

            def test_a_later_one(client, db_session):
                assert list(db_session) == []
                UserFactory(name="bob")
                assert "bob" in client.get("/users").json()
        """
    )
    project.run().assert_passed(2)
