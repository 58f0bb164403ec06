"""How the tables of each database are made."""

from __future__ import annotations

import pytest

from tests.support.projects import Project
from tests.support.several import ANALYTICS, two_databases

_TEST = """
    from sqlalchemy import inspect

    def test_it(client, harness):
        client.post("/users/ann")
        assert client.get("/users").json() == [["ann"], [1]]
        assert inspect(harness.engine("analytics")).get_table_names() == {tables!r}
"""
_MAKE = """
    def make(engine):
        from shop.models import AnalyticsBase
        from sqlalchemy import text

        AnalyticsBase.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE more (id INTEGER)"))
"""
_ENV = """
    from alembic import context
    from sqlalchemy import create_engine

    with create_engine({url}).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
_REVISION = """
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "one", None

    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("visits", sa.Integer))

    def downgrade():
        op.drop_table("users")
"""


def shop(project: Project, schema: str, tables: list[str]) -> Project:
    two_databases(project, "sync", f"harness_databases = analytics: {ANALYTICS} schema={schema}")
    return project.write(test_it=_TEST.format(tables=tables), shop__making=_MAKE)


def test_a_function_of_the_users(project: Project) -> None:
    """Is called with that database's engine."""
    shop(project, "shop.making:make", ["more", "users"]).run().assert_passed(1)


def test_a_function_that_is_not_there_is_told_with_the_line(project: Project) -> None:
    """As for `harness_schema`."""
    result = shop(project, "shop.making:mak", []).run()

    assert 0 == result.passed, result.text
    assert "harness_databases, analytics: schema = 'shop.making:mak'" in result.text
    assert "did you mean 'make'?" in result.text


@pytest.mark.parametrize(
    "url", ["context.config.get_main_option('sqlalchemy.url')", "'sqlite:///analytics-production.db'"]
)
def test_migrations_of_its_own(project: Project, url: str) -> None:
    """From the alembic.ini that is named; its env.py reads harness's URL, or its own."""
    shop(project, "alembic:analytics/alembic.ini", ["alembic_version", "users"])
    (project.path / "analytics/versions").mkdir(parents=True)
    (project.path / "analytics/alembic.ini").write_text("[alembic]\nscript_location = %(here)s\npath_separator = os\n")
    project.write(analytics__env=_ENV.format(url=url), analytics__versions__one=_REVISION)

    project.run_apart().assert_passed(1)


@pytest.mark.parametrize(
    "url", ["context.config.get_main_option('sqlalchemy.url')", "'sqlite:///production.db'"], ids=["harness's", "own"]
)
def test_tests_of_migrations_are_about_the_default_database(project: Project, url: str) -> None:
    """Its tables only, beside another database that is as in any other test."""
    two_databases(project)
    (project.path / "migrations/versions").mkdir(parents=True)
    (project.path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\npath_separator = os\n")
    revision = _REVISION.replace('"visits", sa.Integer)', '"name", sa.String, nullable=False, unique=True)')
    project.write(
        migrations__env=_ENV.format(url=url),
        migrations__versions__one=revision,
        test_it="""
            from harness.migrations.tests import *
            from shop.main import analytics_engine
            from sqlalchemy import inspect

            def test_beside(migrations):
                migrations.upgrade("head")
                assert inspect(analytics_engine).get_table_names() == ["users"]
        """,
    )
    result = project.run_apart()

    assert (0, 0) == (result.failed, result.errors), result.text
    assert result.passed >= 5, result.text


def test_migrations_that_are_not_there_are_told(project: Project) -> None:
    """With the file that was looked for."""
    result = shop(project, "alembic:analytics/alembic.ini", []).run()

    assert 0 == result.passed, result.text
    assert "analytics/alembic.ini" in result.text
    assert "there is no such file" in result.text


def test_what_is_wrong_with_one_database_is_told_to_those_who_use_it(project: Project) -> None:
    """Tests of the other ones pass."""
    shop(project, "shop.making:mak", []).write(
        test_other="""
            from shop.models import User

            def test_other(db_session):
                db_session.add(User(name="ann"))
                db_session.commit()
        """
    )
    result = project.run()

    assert (1, 1) == (result.passed, result.failed), result.text


def test_a_class_that_inherits_its_tables_has_them_all(project: Project) -> None:
    """Its own and its parents'."""
    two_databases(project, "sync", "harness_databases = analytics: url=*analytics* metadata=shop.more:Click")
    project.write(
        shop__more="""
            from sqlalchemy import ForeignKey
            from sqlalchemy.orm import Mapped, mapped_column
            from shop.models import Base

            class Event(Base):
                __tablename__ = "events"
                id: Mapped[int] = mapped_column(primary_key=True)
                kind: Mapped[str]
                __mapper_args__ = {"polymorphic_on": "kind"}

            class Click(Event):
                __tablename__ = "clicks"
                id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
                __mapper_args__ = {"polymorphic_identity": "click"}
        """,
        test_it="""
            from shop.more import Click
            from sqlalchemy import inspect, select

            def test_it(db_session, harness):
                db_session.add(Click())
                db_session.commit()
                assert harness.session("analytics").scalars(select(Click.id)).all() == [1]
                assert inspect(harness.engine("analytics")).get_table_names() == ["clicks", "events"]
        """,
    )
    project.run().assert_passed(1)
