"""A session that a factory names itself, and the choice of another one for a test."""

from __future__ import annotations

import pytest

from tests.support.factories import shop
from tests.support.projects import Project

_TEST = """
    import pytest
    from named import Session, Named

    @pytest.mark.parametrize("again", [False, True])
    def test_it(client, again):
        {before}
        assert Named(name="ann") in Session()
        assert client.get("/users").json() == ["ann"]
"""


@pytest.mark.parametrize("persistence", [None, "flush", "commit"])
@pytest.mark.parametrize(
    "option",
    [
        "sqlalchemy_session = Session",
        # factory-boy 3.3.0 cannot declare the second option without the first.
        "sqlalchemy_session, sqlalchemy_session_factory = None, lambda: Session()",
    ],
)
def test_a_session_on_an_engine_of_the_application_is_used(project: Project, persistence: str, option: str) -> None:
    """It shares the test's transaction. Nobody has to clean it: its transaction and objects end with the test."""
    shop(project).write(
        named=f"""
            from factories import UserFactory
            from sqlalchemy.orm import scoped_session, sessionmaker
            from shop.main import engine

            Session = scoped_session(sessionmaker(engine))

            class Named(UserFactory):
                class Meta:
                    {option}
                    sqlalchemy_session_persistence = {persistence!r}
        """,
        test_it=_TEST.format(before="assert list(Session()) == []"),
    )
    project.run().assert_passed(2)


def test_a_session_set_by_a_fixture_is_used(project: Project) -> None:
    """The way suites bind factories by hand keeps working; apart, as it means every factory of the process."""
    shop(project).write(
        conftest="""
            import pytest
            from factory.alchemy import SQLAlchemyModelFactory
            from shop.main import SessionLocal
            import factories

            @pytest.fixture
            def session():
                with SessionLocal() as session:
                    for factory in SQLAlchemyModelFactory.__subclasses__():
                        factory._meta.sqlalchemy_session = session
                    yield session
                    session.rollback()
        """,
        test_it="""
            import pytest
            from factories import UserFactory

            @pytest.mark.parametrize("again", [False, True])
            def test_it(session, client, again):
                assert UserFactory(name="ann") in session
                assert client.get("/users").json() == ["ann"]
        """,
    )
    project.run_apart().assert_passed(2)


def test_a_session_that_is_bound_to_nothing_is_replaced(project: Project) -> None:
    """A scoped session that a fixture would have configured: the test's own serves instead."""
    shop(project).write(
        named="""
            from factories import UserFactory
            from sqlalchemy.orm import scoped_session, sessionmaker

            class Named(UserFactory):
                class Meta:
                    sqlalchemy_session = scoped_session(sessionmaker())
        """,
        test_it="""
            from named import Named

            def test_it(client, db_session):
                assert Named(name="ann") in db_session
                assert client.get("/users").json() == ["ann"]
        """,
    )
    project.run().assert_passed(1)


def test_one_test_may_choose_another_session(project: Project) -> None:
    """`harness.factories(…)`: for these factories and those derived from them, until the test ends."""
    shop(project).write(
        test_it="""
            from factories import BuyerFactory, OrderFactory, UserFactory
            from shop.main import SessionLocal

            def test_it(harness, db_session):
                with SessionLocal() as mine:
                    harness.factories(UserFactory, session=mine)
                    assert BuyerFactory._meta.sqlalchemy_session is mine
                    assert UserFactory() in mine
                    harness.factories(session=mine)
                    assert OrderFactory() in mine
                    mine.commit()
                    harness.factories()
                    harness.factories(UserFactory)
                    assert OrderFactory() in db_session

            def test_next(db_session):
                assert UserFactory() in db_session
        """
    )
    project.run().assert_passed(2)
