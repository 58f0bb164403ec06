"""greenlet is not installed: SQLAlchemy 2.1 leaves that to whoever wants asyncio."""

from __future__ import annotations

from tests.support.projects import Project

_ABSENT = """
    import sys
    sys.modules["greenlet"] = None  # as if it were not installed
"""


def test_a_synchronous_application_needs_none(project: Project) -> None:
    """Its sessions, clients, factories, seed data and findings are as ever."""
    project.app().write(
        absent=_ABSENT,
        test_it="""
            import pytest
            from factory.alchemy import SQLAlchemyModelFactory
            from sqlalchemy import select
            from shop.main import User

            class UserFactory(SQLAlchemyModelFactory):
                class Meta:
                    model = User
                name = "ann"

            @pytest.fixture(scope="module")
            def seed(module_db_session):
                module_db_session.add(User(name="bob"))
                module_db_session.commit()

            def test_rows(client, db_session, seed):
                UserFactory()
                assert client.get("/users").json() == ["ann", "bob"]
                assert sorted(db_session.scalars(select(User.name))) == ["ann", "bob"]

            @pytest.mark.harness(isolation="database")
            def test_a_database_of_its_own(client):
                assert client.get("/users").status_code == 200
        """,
    )
    project.run_apart("-p", "absent").assert_passed(2)


def test_an_asynchronous_session_is_told_what_is_missing(project: Project) -> None:
    """And what installs it."""
    project.app().write(absent=_ABSENT, test_it="def test_it(async_db_session): ...")

    project.run_apart("-p", "absent").assert_says(
        "greenlet is not installed, and an asynchronous session needs it",
        'pip install "pytest-fastapi-harness[fastapi]"',
    )
