"""Tests of migrations on real servers: each has an empty database of its own, and nothing of them stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy.engine import URL

from tests.backends.test_own_database import databases, on, project
from tests.backends.test_own_database import postgres_url as postgres_url  # a database of each test's own
from tests.support.migrations import ASYNC_ENV, SYNC_ENV, alembic, revision
from tests.support.projects import APPS, Project, new_project
from tests.support.servers import asking, text_of

__all__ = ["project"]

_URLS = {
    "psycopg": ("sync", SYNC_ENV, "postgresql+psycopg://nobody@production.invalid/shop"),
    "psycopg_async": ("async", ASYNC_ENV, "postgresql+psycopg://nobody@production.invalid/shop"),
    "asyncpg": ("async", ASYNC_ENV, "postgresql+asyncpg://nobody@production.invalid/shop"),
}
_TABLE = (
    'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("name", sa.String, nullable=False, unique=True))'
)
_ENUM = 'op.add_column("users", sa.Column("kind", sa.Enum("a", "b", name="kind"), nullable=True))'
_MAKE_ENUM = f'sa.Enum("a", "b", name="kind").create(op.get_bind()); {_ENUM}'
_TEST = """
    from harness.migrations.tests import test_single_head, test_up_down_up, test_upgrade

    def test_rows(migrations, client):
        migrations.before("b2")
        migrations.insert("users", {"name": "ann"})
        migrations.upgrade()
        assert migrations.rows("users") == [{"id": 1, "name": "ann", "kind": None}]
        assert client.get("/users").json() == ["ann"]
"""


def shop(project: Project, driver: str, drop: str = "") -> Project:
    """Write an application for PostgreSQL with two revisions, of which the second makes a type."""
    kind, env, url = _URLS[driver]
    app = re.sub(r"sqlite(\+aiosqlite)?:///production.db", url, APPS[kind])
    project.app(kind).write(shop__main=app)
    alembic(project, env, url)
    revision(project, "a1", None, _TABLE, 'op.drop_table("users")')
    down = f'op.drop_column("users", "kind"){drop}'
    revision(project, "b2", "a1", _MAKE_ENUM, down)
    return project.ini("harness_app = shop.main:app").write(test_it=_TEST)


@pytest.mark.parametrize("driver", _URLS)
def test_a_history_is_tested_on_postgresql(project: Project, postgres_url: URL, driver: str) -> None:
    """With an env.py of the application's own driver, which connects to no other database; and nothing is left."""
    result = shop(project, driver, '; op.execute("DROP TYPE kind")').run_apart(on(postgres_url))

    result.assert_passed(5)
    assert [] == databases(postgres_url)


def test_a_type_that_a_downgrade_forgets_is_told(project: Project, postgres_url: URL) -> None:
    """It outlives the column, and would stop the next upgrade."""
    result = shop(project, "psycopg").run_apart(on(postgres_url))

    assert 1 == result.failed, result.text
    result.assert_says("the downgrade of revision b2 (b2) does not undo its upgrade", "type kind is still there")
    assert [] == databases(postgres_url)


def test_a_lock_of_the_test_itself_does_not_hang_the_migration(project: Project, postgres_url: URL) -> None:
    """It waits ten seconds, and says what to do."""
    shop(project, "psycopg").write(
        test_it="""
            from sqlalchemy import text

            def test_it(migrations, db_session):
                migrations.at("a1")
                db_session.execute(text("SELECT * FROM users"))
                migrations.upgrade("b2")
        """
    )
    result = project.run_apart(on(postgres_url))

    assert 1 == result.failed, result.text
    result.assert_says("failed in revision b2", "lock timeout", "commit or close the sessions")
    assert [] == databases(postgres_url)


def test_a_failed_test_keeps_its_database(project: Project, postgres_url: URL) -> None:
    """On the server, where it can be opened; the report says how, and how to drop it."""
    shop(project, "psycopg").write(test_it="def test_it(migrations):\n    migrations.at('a1')\n    assert False\n")
    result = project.run_apart(on(postgres_url), "--harness-keep-failed")

    (kept,) = databases(postgres_url)
    with asking(postgres_url) as connection:
        connection.execute(f'DROP DATABASE "{kept}"')
    result.assert_says("open    psql", "remove  dropdb", kept)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_nothing_for_long(
    project: Project, postgres_url: URL, number: signal.Signals
) -> None:
    """SIGTERM is heard; after SIGKILL, the next run sweeps."""
    shop(project, "psycopg").write(
        test_it="""
            import os, time

            def test_it(migrations):
                migrations.at("a1")
                open("there", "w").close()
                time.sleep(60 if not os.path.exists("again") else 0)
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "harness", "-p", "no:randomly", on(postgres_url)]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 40
        while not (project.path / "there").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.kill(process.pid, number)
    if number == signal.SIGKILL:
        assert 1 == len(databases(postgres_url))
        (project.path / "again").touch()
        project.run_apart(on(postgres_url)).assert_passed(1)

    assert [] == databases(postgres_url)


def test_another_server_refuses_clearly(pytester: pytest.Pytester, mariadb_url: URL) -> None:
    """The heads need no database, so they are counted all the same."""
    project = new_project(pytester)
    alembic(project.app())
    revision(project, "a1", None, _TABLE, 'op.drop_table("users")')
    project.ini("harness_app = shop.main:app", f"harness_database = {text_of(mariadb_url)}").write(
        test_it="from harness.migrations.tests import test_single_head, test_upgrade\n"
    )
    result = project.run_apart()

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("tests of migrations are not available on mysql", "--harness-database=postgres")
