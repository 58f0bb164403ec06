"""pytest-factoryboy's fixtures and polyfactory's factories, on the same session."""

from __future__ import annotations

import pytest

from tests.support.factories import shop
from tests.support.projects import Project

both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
def test_registered_fixtures_are_on_the_tests_session(project: Project, kind: str) -> None:
    """`user`, `order` and `user_factory`; what pytest-factoryboy completes later is sent before the test begins."""
    shop(project, kind).write(
        conftest="""
            import factory
            from factories import OrderFactory, UserFactory
            from pytest_factoryboy import register

            class HashedFactory(UserFactory):
                password = None

                @factory.post_generation
                def hash(user, create, extracted, **more):
                    user.password = "hash"

            register(HashedFactory)
            register(OrderFactory)
        """,
        test_it="""
            import pytest
            from sqlalchemy import select
            from shop.models import User

            @pytest.mark.parametrize("user__name", ["ann"])
            @pytest.mark.parametrize("again", [False, True])
            def test_it(order, user, hashed_factory, db_session, client, user__name, again):
                assert order.user is user
                assert user in db_session
                assert db_session.connection().scalar(select(User.password)) == "hash"
                hashed_factory(name="bob")
                assert client.get("/users").json() == ["ann", "bob"]

            async def test_async(user, async_db_session, async_client):
                assert user in async_db_session
                assert (await async_client.get("/users")).json() == [user.name]
        """,
    )
    project.run_apart("-p", "pytest_factoryboy.plugin").assert_passed(3)


_POLYFACTORY = """
    from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
    from shop.models import User

    class UserFactory(SQLAlchemyFactory[User]):
        __set_relationships__ = False
        __set_primary_key__ = False
"""


@both
def test_polyfactory_stores_in_a_synchronous_test(project: Project, kind: str) -> None:
    """`create_sync` and `create_batch_sync`, without a `__session__`."""
    shop(project, kind).write(
        poly=_POLYFACTORY,
        test_it="""
            import pytest
            from poly import UserFactory

            @pytest.mark.parametrize("again", [False, True])
            def test_it(client, db_session, again):
                assert UserFactory.create_sync(name="ann") in db_session
                assert len(UserFactory.create_batch_sync(2)) == 2
                assert len(client.get("/users").json()) == 3
        """,
    )
    project.run_apart().assert_passed(2)


@both
def test_polyfactory_stores_in_an_asynchronous_test(project: Project, kind: str) -> None:
    """`create_async`, `create_batch_async`, `harness.create`, and the plain call, all on one session."""
    shop(project, kind).write(
        poly=_POLYFACTORY,
        test_it="""
            import pytest
            from poly import UserFactory

            @pytest.mark.parametrize("again", [False, True])
            async def test_it(async_client, async_db_session, harness, again):
                assert await UserFactory.create_async(name="ann") in async_db_session
                await UserFactory.create_batch_async(2)
                assert UserFactory.create_sync() in async_db_session
                assert await harness.create(UserFactory) in async_db_session
                assert len(await harness.create_batch(UserFactory, 2)) == 2
                assert len((await async_client.get("/users")).json()) == 7
        """,
    )
    project.run_apart().assert_passed(2)


def test_polyfactory_with_a_session_of_its_own(project: Project) -> None:
    """What a factory sets itself is kept; an AsyncSession in the wrong place is explained."""
    shop(project, "async").write(
        poly=_POLYFACTORY,
        test_it="""
            from poly import UserFactory
            from shop.main import SessionLocal

            class Named(UserFactory):
                __async_session__ = SessionLocal

            async def test_named(async_client):
                await Named.create_async(name="ann")
                assert (await async_client.get("/users")).json() == ["ann"]

            class Wrong(UserFactory):
                __session__ = SessionLocal()

            def test_wrong(db_session):
                Wrong.create_sync()
        """,
    )
    result = project.run_apart()
    assert (result.passed, result.failed) == (1, 1), result.text
    result.assert_says("Wrong is given an AsyncSession", "leave __session__ out")


def test_polyfactory_is_left_as_it_was(project: Project) -> None:
    """After a run in the same process its base class has no session again."""
    from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

    before = dict(vars(SQLAlchemyFactory))
    shop(project).write(
        poly=_POLYFACTORY, test_it="import poly\ndef test_it(db_session): poly.UserFactory.create_sync()\n"
    )
    project.run().assert_passed(1)

    assert before["__session__"] is None
    assert dict(vars(SQLAlchemyFactory)) == before
