"""`isolation="database"` and `"delete"`, as a user meets them; on SQLite here, on servers in `tests/backends`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.database.identity import PID
from tests.support.projects import STRICT, Project

BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


def shop(project: Project, test: str, *ini: str, kind: str = "sync") -> Project:
    """The shop with tests of the given isolation."""
    return project.app(kind).ini("harness_app = shop.main:app", *ini).write(test_it=test)


def left(pid: int) -> list[Path]:
    """The directories of clones that a process has made and not removed."""
    owners = [path for place in ("/dev/shm", "/tmp") for path in Path(place).glob("harness-clones-*/owner.json")]
    return [path for path in owners if json.loads(path.read_text())[PID] == str(pid)]


@BOTH
@pytest.mark.parametrize("isolation", ["database", "delete"])
def test_what_a_test_commits_is_gone_afterwards(project: Project, kind: str, isolation: str) -> None:
    """Also its ids; and rollback tests before, between and after are not disturbed."""
    test = f"""
        import pytest

        @pytest.mark.parametrize("isolation", ["rollback", "{isolation}", "rollback", "{isolation}"])
        def test_it(client, db_session, isolation, request):
            from shop.models import User
            assert client.get("/users").json() == []
            client.post("/users/ann")
            assert [(user.id, user.name) for user in db_session.query(User)] == [(1, "ann")]

    """
    conftest = """
        import pytest

        def pytest_itemcollected(item):
            item.add_marker(pytest.mark.harness(isolation=item.callspec.params["isolation"]))
    """
    shop(project, test, kind=kind).write(conftest=conftest).run().assert_passed(4)

    assert [] == left(os.getpid())


@BOTH
def test_connections_are_real(project: Project, kind: str) -> None:
    """Two of them do not see what the other has not committed; DDL and other drivers' types are real."""
    test = """
        import pytest
        from sqlalchemy import text

        @pytest.mark.harness(isolation="database")
        def test_it(db_engine, client):
            client.post("/users/ann")
            with db_engine.connect() as one, db_engine.connect() as other:
                assert type(one.connection.dbapi_connection).__name__ == "Connection"
                one.execute(text("INSERT INTO users (name) VALUES ('bob')"))
                assert other.scalar(text("SELECT count(*) FROM users")) == 1
                one.commit()
                assert other.scalar(text("SELECT count(*) FROM users")) == 2
            with db_engine.begin() as connection:
                connection.execute(text("DROP TABLE users"))

        def test_after(client):
            assert client.get("/users").json() == []
    """
    shop(project, test, kind=kind).run().assert_passed(2)


def test_an_async_test_has_asynchronous_connections(project: Project) -> None:
    """On its own loop, closed with it, also those that somebody forgot."""
    test = """
        import pytest
        from sqlalchemy import text

        @pytest.mark.asyncio
        @pytest.mark.parametrize("time", [1, 2])
        @pytest.mark.harness(isolation="database")
        async def test_it(async_client, async_db_session, async_db_engine, time):
            assert (await async_client.post("/users/ann")).status_code == 201
            assert await async_db_session.scalar(text("SELECT count(*) FROM users")) == 1
            async with async_db_engine.connect() as one:
                raw = await one.get_raw_connection()
                assert type(raw.driver_connection).__module__.startswith("aiosqlite")
    """
    shop(project, test, kind="async").ini("harness_app = shop.main:app", STRICT).run_apart().assert_passed(2)


def test_rows_of_wider_fixtures_are_in_the_database(project: Project) -> None:
    """Although they are not committed anywhere; they are still there for the tests after it."""
    test = """
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def seed():
            from shop.main import SessionLocal
            from shop.models import User
            with SessionLocal() as session:
                session.add(User(name="seed"))
                session.commit()

        @pytest.mark.parametrize("isolation", ["rollback", "database", "delete", "rollback"])
        def test_it(client, isolation):
            assert client.get("/users").json() == ["seed"]
            client.post("/users/ann")
            assert client.get("/users").json() == ["ann", "seed"]
    """
    conftest = """
        import pytest

        def pytest_itemcollected(item):
            item.add_marker(pytest.mark.harness(isolation=item.callspec.params["isolation"]))
    """
    shop(project, test).write(conftest=conftest).run().assert_passed(4)


def test_all_ways_to_a_connection_lead_to_it(project: Project) -> None:
    """Threads, a disposed engine, engines made in the test, and those with execution options."""
    test = """
        import threading
        import pytest
        from sqlalchemy import create_engine, text
        from shop.main import SessionLocal, engine

        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

        @pytest.mark.harness(isolation="database")
        def test_it(client, db_url):
            engine.dispose()
            client.post("/users/ann")

            def work():
                with SessionLocal() as session:
                    session.execute(text("INSERT INTO users (name) VALUES ('thread')"))
                    session.commit()

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            with create_engine("sqlite:///production.db").begin() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('made')"))
            with autocommit.connect() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('auto')"))
            assert client.get("/users").json() == ["ann", "auto", "made", "thread"]
            assert engine.url.database == db_url.database
    """
    shop(project, test).run().assert_passed(1)


def test_listeners_and_connect_args_of_the_application_count(project: Project) -> None:
    """But not where they say which database it is."""
    main = """
        from fastapi import FastAPI
        from sqlalchemy import create_engine, event
        from shop.models import Base

        engine = create_engine("sqlite:///production.db", connect_args={"timeout": 7.5})
        seen = []

        @event.listens_for(engine, "connect")
        def connected(connection, record):
            seen.append(connection)
            connection.create_function("twice", 1, lambda value: 2 * value)

        app = FastAPI()
    """
    test = """
        import pytest
        from sqlalchemy import text
        from shop.main import engine, seen

        @pytest.mark.harness(isolation="database")
        def test_it(client):
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT twice(4)")) == 8
                assert connection.scalar(text("PRAGMA busy_timeout")) == 7500
                assert connection.scalar(text("PRAGMA foreign_keys")) == 1
                assert connection.connection.dbapi_connection is seen[-1]
    """
    shop(project, test).write(shop__main=main).run().assert_passed(1)


def test_an_engine_that_is_made_in_the_test_knows_its_database(project: Project) -> None:
    """SQLAlchemy asks the server for its version at the first connection, and reflection needs to know it."""
    test = """
        import pytest
        from sqlalchemy import create_engine, inspect

        @pytest.mark.harness(isolation="database")
        def test_it(db_session):
            engine = create_engine("sqlite:///production.db")
            assert [column["name"] for column in inspect(engine).get_columns("users")] == ["id", "name"]
            assert engine.dialect.server_version_info >= (3,)
            engine.dispose()
    """
    shop(project, test).run().assert_passed(1)


def test_a_savepoint_does_not_commit(project: Project) -> None:
    """Python's driver begins no transaction before a savepoint; in production servers do."""
    test = """
        import pytest
        from shop.models import User

        @pytest.mark.harness(isolation="database")
        def test_it(client, db_session):
            with db_session.begin_nested():
                db_session.add(User(name="ann"))
            db_session.rollback()
            assert client.get("/users").json() == []
    """
    shop(project, test).run().assert_passed(1)


def test_rules_judge_such_tests_too(project: Project) -> None:
    """A write that nobody commits is lost on a real connection as well."""
    test = """
        import pytest

        @pytest.mark.harness(isolation="database", expect=["H201"])
        def test_it(client):
            client.post("/lossy/ann")
            assert client.get("/users").json() == []
    """
    shop(project, test)
    main = project.path / "shop/main.py"
    main.write_text(
        main.read_text()
        + "\n\n@app.post('/lossy/{name}')\ndef lose(name: str, db: Session = Depends(get_db)) -> None:\n"
        "    db.add(User(name=name))\n    db.flush()\n"
    )

    project.run().assert_passed(1)


def test_a_database_that_is_asked_for_after_the_test_is_refused(project: Project) -> None:
    """By name, rather than opened anew."""
    test = """
        import pytest
        from sqlalchemy.pool import NullPool
        from sqlalchemy import create_engine
        kept = []

        @pytest.mark.harness(isolation="database")
        def test_it(db_engine):
            with db_engine.connect():
                kept.append(db_engine.pool)

        def test_after():
            with pytest.raises(Exception, match="asked for after the test"):
                kept[0].connect()
                kept[0].connect()
    """
    shop(project, test).run().assert_passed(2)


def test_the_option_holds_for_all_tests(project: Project) -> None:
    """Those that do not touch the database get none."""
    test = """
        def test_it(client):
            client.post("/users/ann")
            assert client.get("/users").json() == ["ann"]

        def test_again(client):
            assert client.get("/users").json() == []

        def test_idle():
            pass
    """
    result = shop(project, test, "harness_isolation = database").run()

    result.assert_passed(3)
    assert "isolation database (pytest.ini)" in result.header


def test_a_marker_that_comes_too_late_is_told(project: Project) -> None:
    """Once fixtures of wider scope have written, nobody can copy the database without their rows any more."""
    test = """
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def seed():
            from shop.main import SessionLocal
            from shop.models import User
            with SessionLocal() as session:
                session.add(User(name="seed"))
                session.commit()

        def test_first(client):
            pass

        def test_late(client):
            assert client.get("/users").json() == ["seed"]
    """
    conftest = """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item):
            if item.name == "test_late":
                item.add_marker(pytest.mark.harness(isolation="database"))
    """
    result = shop(project, test).write(conftest=conftest).run()

    assert (1, 1) == (result.passed, result.failed + result.errors), result.text
    result.assert_says("holds rows that are not committed", "the module fixture 'seed'", 'isolation="database"')


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_run_that_is_stopped(project: Project, how: signal.Signals) -> None:
    """At once, or, if it was killed, by the next run with such tests."""
    test = """
        import time
        import pytest

        @pytest.mark.harness(isolation="database")
        def test_it(client):
            client.post("/users/ann")
            print("\\nREADY", flush=True)
            time.sleep(60)
    """
    shop(project, test)
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "harness", "-s", "-p", "no:cacheprovider"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    with run:
        assert any("READY" in line for line in run.stdout)
        assert [] != left(run.pid)
        run.send_signal(how)
        run.stdout.read()
    if how is signal.SIGKILL:
        project.write(test_it=test.replace("sleep(60)", "sleep(0)")).run().assert_passed(1)

    assert [] == left(run.pid)
