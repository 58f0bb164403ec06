"""Whole runs on a real PostgreSQL, as a user starts them: what they leave behind, and what goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy.engine import URL

from harness.database.identity import PID
from tests.support.projects import ASYNC_APP, SYNC_APP, Project, new_project

_MANY = """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    import pytest

    def test_threads(client):
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda n: client.post(f"/users/t{n}").status_code, range(12)))
        assert answers == [201] * 12
        assert len(client.get("/users").json()) == 12

    @pytest.mark.asyncio
    async def test_gathered(async_client):
        answers = await asyncio.gather(*(async_client.post(f"/users/g{n}") for n in range(8)))
        assert [answer.status_code for answer in answers] == [201] * 8
        assert len((await async_client.get("/users")).json()) == 8

    def test_nothing_is_left(client):
        assert client.get("/users").json() == []
"""
_APPS = {
    "psycopg": SYNC_APP.replace("sqlite:///production.db", "postgresql+psycopg://nobody@production.invalid/shop"),
    "psycopg_async": ASYNC_APP.replace(
        "sqlite+aiosqlite:///production.db", "postgresql+psycopg://nobody@production.invalid/shop"
    ),
    "asyncpg": ASYNC_APP.replace(
        "sqlite+aiosqlite:///production.db", "postgresql+asyncpg://nobody@production.invalid/shop"
    ),
    "sqlite app": SYNC_APP,
}


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def asking(url: URL) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the test's own, behind harness's back."""
    with psycopg.connect(text_of(url), autocommit=True) as connection:
        yield connection


def tables(url: URL) -> list[str]:
    with asking(url) as connection:
        found = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname NOT LIKE 'pg%' AND schemaname <> 'information_schema'"
        )
        return sorted(str(row[0]) for row in found if row[0] not in ("thing", "part"))


@pytest.mark.parametrize("driver", _APPS)
def test_requests_in_threads_and_gathered_succeed_and_roll_back(
    project: Project, postgres_url: URL, driver: str
) -> None:
    """12 threads and 8 gathered requests in one test all succeed, on every driver, and leave no table behind."""
    kind = "sync" if _APPS[driver].count("async def get_db") == 0 else "async"
    project.app(kind).write(shop__main=_APPS[driver], test_it=_MANY)
    project.ini("harness_app = shop.main:app", f"harness_database = {text_of(postgres_url)}")

    project.run_apart().assert_passed(3)

    assert tables(postgres_url) == []


def test_a_database_of_the_users_is_left_as_it_was_found(project: Project, postgres_url: URL) -> None:
    """Tables that were there stay with their rows; what harness made goes, enum types and schemas included."""
    project.app().write(
        shop__models="""
            import enum
            from sqlalchemy import Enum
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

            class Base(DeclarativeBase): pass

            class Colour(enum.Enum):
                red = 1

            class User(Base):
                __tablename__ = "users"
                id: Mapped[int] = mapped_column(primary_key=True)
                name: Mapped[str] = mapped_column(unique=True)

            class Ball(Base):
                __tablename__ = "balls"
                __table_args__ = {"schema": "toys"}
                id: Mapped[int] = mapped_column(primary_key=True)
                colour: Mapped[Colour] = mapped_column(Enum(Colour, name="colour"))
        """,
        test_it="""
            from shop.models import Ball, Colour

            def test_it(db_session):
                db_session.add(Ball(colour=Colour.red))
                db_session.commit()
        """,
    ).ini("harness_app = shop.main:app", f"harness_database = {text_of(postgres_url)}")
    with asking(postgres_url) as connection:
        connection.execute("CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)")
    try:
        project.run_apart().assert_passed(1)

        with asking(postgres_url) as connection:
            assert connection.execute("SELECT id FROM mine").fetchall() == [(1,)]
            assert connection.execute("SELECT count(*) FROM pg_type WHERE typname = 'colour'").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'toys'").fetchone() == (0,)
    finally:
        with asking(postgres_url) as connection:
            connection.execute("DROP TABLE mine")


def test_alembic_with_an_async_env_builds_the_schema(project: Project, postgres_url: URL) -> None:
    """An env.py that calls asyncio.run and reads the production URL migrates the test database."""
    project.app("async").write(
        shop__main=_APPS["asyncpg"],
        migrations__env="""
            import asyncio
            from alembic import context
            from shop.main import engine

            def migrate(connection):
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()

            async def run():
                async with engine.connect() as connection:
                    await connection.run_sync(migrate)

            asyncio.run(run())
        """,
        migrations__versions__one="""
            import sqlalchemy as sa
            from alembic import op
            revision, down_revision = "one", None

            def upgrade():
                name = sa.Column("name", sa.String, unique=True)
                op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), name)
        """,
        test_it='def test_it(client):\n    assert client.post("/users/ann").status_code == 201\n',
    )
    (project.path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\npath_separator = os\n")
    project.ini(
        "harness_app = shop.main:app", "harness_schema = alembic", f"harness_database = {text_of(postgres_url)}"
    )

    project.run_apart().assert_passed(1)

    assert tables(postgres_url) == []


def test_a_connection_cut_in_the_middle_fails_one_test_and_the_next_runs(project: Project, postgres_url: URL) -> None:
    """The error names what was lost; the next test connects anew."""
    project.app().write(
        shop__main=_APPS["psycopg"],
        test_it=f"""
            import psycopg

            def test_cut(client):
                client.post("/users/ann")
                with psycopg.connect({text_of(postgres_url)!r}, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                client.get("/users")

            def test_next(client):
                assert client.post("/users/ann").status_code == 201
        """,
    ).ini("harness_app = shop.main:app", f"harness_database = {text_of(postgres_url)}")

    result = project.run_apart()

    assert (result.passed, result.failed) == (1, 1), result.text
    result.assert_says("the connection to the test database was lost", "the next test connects anew")


@pytest.mark.parametrize(("signal_number", "leaves"), [(signal.SIGKILL, True), (signal.SIGINT, False)])
def test_no_container_outlives_its_run_for_long(
    project: Project, postgres_url: URL, signal_number: signal.Signals, leaves: bool
) -> None:
    """Ctrl-C removes the container at once; after kill -9 the next run does."""
    project.app().write(
        shop__main=_APPS["psycopg"],
        test_it="""
            import os, pathlib, time

            def test_it(client):
                client.get("/users")
                pathlib.Path("started").touch()
                time.sleep(float(os.environ.get("NAP", "0")))
        """,
    ).ini("harness_app = shop.main:app")
    image = os.environ.get("HARNESS_TEST_IMAGE", "postgres:17")
    command = [sys.executable, "-m", "pytest", "-p", "harness", "-p", "no:cacheprovider", "--harness-database=postgres"]
    command += [f"--harness-image={image}", "--harness-schema=metadata"]
    running = subprocess.Popen(command, cwd=project.path, env={**os.environ, "NAP": "60"})
    try:
        deadline = time.monotonic() + 60
        while not (project.path / "started").exists():
            assert time.monotonic() < deadline, "the run did not start"
            assert running.poll() is None, "the run ended too early"
            time.sleep(0.05)
        own = containers_of(running.pid)
        assert len(own) == 1
        running.send_signal(signal_number)
        running.wait(timeout=120)
    finally:
        running.kill()
        running.wait()
    assert (containers_of(running.pid) == own) is leaves

    subprocess.run(command, cwd=project.path, check=True, timeout=90)

    assert containers_of(running.pid) == set()


def containers_of(process: int) -> set[str]:
    """The ids of the containers that a run of harness has started; others run beside this test."""
    asked = ["docker", "ps", "--all", "--quiet", "--filter", f"label={PID}={process}"]
    return set(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split())
