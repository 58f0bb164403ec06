"""The schema by Alembic: synchronous and asynchronous env.py, and migrations that break."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from harness.errors import SchemaError
from harness.schema.environment import find_config
from tests.support.projects import Project, new_project

pytest.importorskip("alembic")

_SYNC_ENV = """
    from alembic import context
    from shop.main import engine
    from shop.models import Base

    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
"""
_URL_ENV = """
    from alembic import context
    from sqlalchemy import engine_from_config, pool

    config = context.config
    section = config.get_section(config.config_ini_section)
    connectable = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
_ASYNC_ENV = """
    import asyncio
    from alembic import context
    from shop.main import engine

    def migrate(connection):
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()

    asyncio.run(main())
"""
_MIGRATION = """
    from alembic import op
    import sqlalchemy as sa

    revision = "1"
    down_revision = None

    def upgrade():
        number = sa.Column("id", sa.Integer, primary_key=True)
        op.create_table("users", number, sa.Column("name", sa.String, unique=True))
        op.execute("INSERT INTO users (name) VALUES ('migrated')")
"""
_TEST = """
    import pytest
    from sqlalchemy import text

    @pytest.mark.parametrize("again", [False, True])
    def test_add(client, db_session, again):
        assert client.post("/users/ann").status_code == 201
        assert client.get("/users").json() == ["ann", "migrated"]
        assert db_session.scalar(text("SELECT version_num FROM alembic_version")) == "1"
"""


def migrated(pytester: pytest.Pytester, kind: str, env: str, migration: str = _MIGRATION) -> Project:
    """A project with one migration."""
    project = new_project(pytester).app(kind).ini("harness_app = shop.main:app", "harness_schema = alembic")
    ini = "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = sqlite:///production.db\n"
    (project.path / "alembic.ini").write_text(ini)
    versions = project.path / "migrations/versions"
    versions.mkdir(parents=True)
    (project.path / "migrations/env.py").write_text(dedent(env))
    (versions / "1_users.py").write_text(dedent(migration))
    return project.write(test_it=_TEST)


@pytest.mark.parametrize(
    ("kind", "env"),
    [("sync", _SYNC_ENV), ("sync", _URL_ENV), ("async", _ASYNC_ENV), ("async", _URL_ENV)],
    ids=["the app's engine", "the URL of alembic.ini", "asyncio.run", "a sync URL beside an async app"],
)
def test_migrations_reach_the_test_database(pytester: pytest.Pytester, kind: str, env: str) -> None:
    """Whatever engine env.py makes or takes, and the database it names is never touched."""
    project = migrated(pytester, kind, env)
    project.run_apart().assert_passed(2)

    assert not (project.path / "production.db").exists()


def test_an_async_env_works_when_an_async_test_needs_the_schema_first(pytester: pytest.Pytester) -> None:
    """`asyncio.run` is not called in the thread of a running loop."""
    project = migrated(pytester, "async", _ASYNC_ENV).ini(
        "harness_app = shop.main:app", "harness_schema = alembic", "asyncio_mode = auto"
    )
    project.write(
        test_it="""
            from sqlalchemy import select
            from shop.main import SessionLocal
            from shop.models import User

            async def test_first():
                async with SessionLocal() as session:
                    assert (await session.scalars(select(User.name))).all() == ["migrated"]
        """
    )
    project.run_apart().assert_passed(1)


def test_a_broken_migration_is_shown(pytester: pytest.Pytester) -> None:
    """With its error, the alembic.ini, and how to see it alone."""
    broken = _MIGRATION.replace("op.create_table", "op.no_such_operation")
    result = migrated(pytester, "sync", _SYNC_ENV, broken).run_apart()

    assert 2 == result.errors, result.text
    result.assert_says("the migrations failed", "no_such_operation", "alembic.ini", "alembic upgrade head")


def test_the_config_is_found_beside_or_one_level_below(tmp_path: Path) -> None:
    """The direct one wins."""
    below = tmp_path / "backend" / "alembic.ini"
    below.parent.mkdir()
    below.touch()
    assert below == find_config(tmp_path)

    direct = tmp_path / "alembic.ini"
    direct.touch()
    assert direct == find_config(tmp_path)


def test_several_or_no_configs_are_told(tmp_path: Path) -> None:
    """With where they are, or where none was."""
    with pytest.raises(SchemaError, match=r"there is no alembic\.ini"):
        find_config(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "alembic.ini").touch()
    with pytest.raises(SchemaError, match=r"several alembic\.ini") as caught:
        find_config(tmp_path)

    assert "one/alembic.ini" in str(caught.value)
    assert "two/alembic.ini" in str(caught.value)
