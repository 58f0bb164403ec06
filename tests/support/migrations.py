"""A project with an Alembic history of a few revisions, for tests of what is said about migrations."""

from __future__ import annotations

from textwrap import dedent

from tests.support.projects import Project

#: What `alembic init` writes, with the models of the application.
SYNC_ENV = """
    from logging.config import fileConfig

    from alembic import context
    from sqlalchemy import engine_from_config, pool
    from shop.models import Base

    config = context.config
    fileConfig(config.config_file_name)

    section = config.get_section(config.config_ini_section)
    connectable = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata{options})
        with context.begin_transaction():
            context.run_migrations()
"""
#: What `alembic init -t async` writes.
ASYNC_ENV = """
    import asyncio

    from alembic import context
    from sqlalchemy import pool
    from sqlalchemy.ext.asyncio import async_engine_from_config
    from shop.models import Base

    def migrate(connection):
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        section = context.config.get_section(context.config.config_ini_section)
        connectable = async_engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
        async with connectable.connect() as connection:
            await connection.run_sync(migrate)
        await connectable.dispose()

    asyncio.run(main())
"""
_INI = """
    [alembic]
    script_location = migrations
    sqlalchemy.url = {url}

    [loggers]
    keys = root

    [handlers]
    keys = console

    [formatters]
    keys = plain

    [logger_root]
    level = WARNING
    handlers = console

    [handler_console]
    class = StreamHandler
    args = (sys.stderr,)
    formatter = plain

    [formatter_plain]
    format = %(message)s
"""
_REVISION = '''
    """{message}."""

    import sqlalchemy as sa
    from alembic import op

    revision = {revision!r}
    down_revision = {after!r}

    def upgrade():
        {up}

    def downgrade():
        {down}
'''
#: Makes the table of the application, without the column's index.
USERS = 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String))'


def alembic(project: Project, env: str = SYNC_ENV, url: str = "sqlite:///production.db", options: str = "") -> Project:
    """Give a project an alembic.ini and an env.py."""
    (project.path / "alembic.ini").write_text(dedent(_INI.format(url=url)).lstrip())
    (project.path / "migrations/versions").mkdir(parents=True)
    return project.write(migrations__env=env.replace("{options}", options))


def revision(
    project: Project,
    revision: str,
    after: str | tuple[str, ...] | None,
    up: str = "pass",
    down: str = "pass",
    message: str = "",
) -> Project:
    """Write a revision; several lines of a body are separated by semicolons."""
    text = _REVISION.format(message=message or revision, revision=revision, after=after, up=up, down=down)
    (project.path / f"migrations/versions/{revision}.py").write_text(dedent(text).lstrip())
    return project


def shop(project: Project, kind: str = "sync", url: str = "") -> Project:
    """Write the application with two revisions that its models agree with, and the tests of every history."""
    url = url or f"sqlite{'+aiosqlite' if kind == 'async' else ''}:///production.db"
    alembic(project.app(kind), ASYNC_ENV if kind == "async" else SYNC_ENV, url)
    names = 'sa.Column("name", sa.String, nullable=False), sa.UniqueConstraint("name", name="one")'
    table = f'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), {names})'
    revision(project, "a1", None, table, 'op.drop_table("users")', "Add users")
    revision(project, "b2", "a1", 'op.execute("UPDATE users SET name = upper(name)")', "pass", "Shout")
    project.write(test_migrations="from harness.migrations.tests import *\n")
    return project.ini("harness_app = shop.main:app")
