"""`isolation="database"` and `"delete"` on a real PostgreSQL, as a user runs them, with each driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.backends.test_postgres_runs import _APPS
from tests.support.projects import STRICT, Project, new_project
from tests.support.servers import own_database

DRIVERS = pytest.mark.parametrize("driver", _APPS)


@pytest.fixture
def project(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> Project:
    """An empty project."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    return new_project(pytester)


@pytest.fixture
def postgres_url(postgres_url: URL) -> Iterator[URL]:
    """A database that no other test leaves anything in: some of them kill their run."""
    with own_database(postgres_url) as url:
        yield url


def shop(project: Project, test: str, driver: str = "psycopg", *ini: str) -> Project:
    return project.app().write(shop__main=_APPS[driver], test_it=test).ini("harness_app = shop.main:app", *ini)


def on(url: URL) -> str:
    return f"--harness-database={url.render_as_string(hide_password=False)}"


def databases(url: URL) -> list[str]:
    """The databases that runs have made and not dropped."""
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{url.database}\\_har%",))
        return sorted(str(row[0]) for row in found)


_MIXED = """
    import pytest
    from sqlalchemy import select, text
    from shop.models import User

    @pytest.mark.parametrize("isolation", ["rollback", "database", "delete", "database", "rollback", "delete"])
    def test_sync(client, db_session, isolation):
        assert client.get("/users").json() == []
        assert client.post("/users/ann").status_code == 201
        assert client.post("/users/ann").status_code == 409
        assert [(user.id, user.name) for user in db_session.scalars(select(User))] == [(1, "ann")]
        client.post("/users/bob")
        assert len(db_session.scalars(select(User)).all()) == 2

    @pytest.mark.asyncio
    @pytest.mark.parametrize("isolation", ["database", "rollback", "delete"])
    async def test_async(async_client, async_db_session, isolation):
        assert (await async_client.post("/users/ann")).status_code == 201
        assert [(user.id, user.name) for user in await async_db_session.scalars(select(User))] == [(1, "ann")]
"""
_BY_PARAMETER = """
    import pytest

    def pytest_itemcollected(item):
        item.add_marker(pytest.mark.harness(isolation=item.callspec.params["isolation"]))
"""


@DRIVERS
def test_tests_of_every_isolation_mix_in_one_run(project: Project, postgres_url: URL, driver: str) -> None:
    """With the same ids, the same errors and nothing left, in the database and on the server."""
    shop(project, _MIXED, driver, STRICT).write(conftest=_BY_PARAMETER)

    project.run_apart(on(postgres_url)).assert_passed(9)
    assert [] == databases(postgres_url)


def test_what_only_real_connections_can_do(project: Project, postgres_url: URL) -> None:
    """Lock waits, notifications, deferred constraints, other isolation levels, statements that no transaction holds."""
    test = """
        import pytest
        from sqlalchemy import text
        from sqlalchemy.exc import IntegrityError, OperationalError

        pytestmark = pytest.mark.harness(isolation="database")

        def test_locks(db_engine):
            with db_engine.begin() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('ann')"))
            with db_engine.connect() as one, db_engine.connect() as other:
                one.execute(text("SELECT * FROM users FOR UPDATE"))
                other.execute(text("SET LOCAL lock_timeout = '100ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    other.execute(text("SELECT * FROM users FOR UPDATE"))

        def test_notifications(db_engine):
            with db_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as listener:
                listener.execute(text("LISTEN news"))
                with db_engine.begin() as connection:
                    connection.execute(text("NOTIFY news, 'hello'"))
                raw = listener.connection.driver_connection
                assert [found.payload for found in raw.notifies(timeout=10, stop_after=1)] == ["hello"]

        def test_deferred_constraints(db_engine, db_session):
            with db_engine.begin() as connection:
                connection.execute(text("CREATE TABLE pets (owner int REFERENCES users DEFERRABLE INITIALLY DEFERRED)"))
            db_session.execute(text("INSERT INTO pets VALUES (99)"))
            with pytest.raises(IntegrityError):
                db_session.commit()

        def test_isolation_levels_and_the_clock(db_engine):
            with db_engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
                assert connection.scalar(text("SHOW transaction_isolation")) == "serializable"
                first = connection.scalar(text("SELECT now()"))
                connection.commit()
                assert first < connection.scalar(text("SELECT now()"))

        def test_no_transaction(db_engine):
            with db_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("CREATE INDEX CONCURRENTLY again ON users (name)"))
                connection.execute(text("VACUUM users"))

        @pytest.mark.harness(isolation="rollback")
        def test_after(db_session):
            assert db_session.scalar(text("SELECT to_regclass('pets')")) is None
    """
    shop(project, test).run_apart(on(postgres_url)).assert_passed(6)


_WIDER = """
    import pytest

    @pytest.fixture(scope="module", autouse=True)
    def seed(sync_session):
        from shop.models import User
        with sync_session() as session:
            session.add(User(name="seed"))
            session.commit()

    @pytest.mark.parametrize("isolation", ["database", "rollback", "database", "delete", "rollback"])
    def test_it(client, isolation, db_session):
        from shop.models import User
        assert client.get("/users").json() == ["seed"]
        client.post("/users/ann")
        assert sorted(user.id for user in db_session.query(User)) == [1, 2]
"""


def test_rows_of_wider_fixtures_are_copied(project: Project, postgres_url: URL) -> None:
    """With their ids, and the sequences behind them."""
    test = (
        _WIDER.replace("(sync_session)", "()")
        .replace("sync_session()", "SessionLocal()")
        .replace(
            "from shop.models import User\n        with",
            "from shop.main import SessionLocal\n        from shop.models import User\n        with",
        )
    )
    shop(project, test).write(conftest=_BY_PARAMETER).run_apart(on(postgres_url)).assert_passed(5)


def test_rows_that_the_schema_came_with_survive_deletes(project: Project, postgres_url: URL) -> None:
    """As they were, whatever a test did to them; in tables that refer to each other in a circle, too."""
    schema = """
        from sqlalchemy import text

        def make(engine):
            with engine.begin() as connection:
                for statement in (
                    "CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, boss int)",
                    "CREATE TABLE teams (id int PRIMARY KEY, lead int REFERENCES users, "
                    "double int GENERATED ALWAYS AS (id * 2) STORED, tags text[], note jsonb)",
                    "ALTER TABLE users ADD team int REFERENCES teams",
                    "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, what text)",
                    "CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NULL; END $$",
                    "CREATE TRIGGER logs AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION logged()",
                    "INSERT INTO users (name) VALUES ('o''hara, \\"x\\" \\\\')",
                    "INSERT INTO teams VALUES (1, 1, DEFAULT, '{a,\\"b c\\"}', '{\\"k\\": [1, null]}')",
                    "UPDATE users SET team = 1",
                ):
                    connection.exec_driver_sql(statement)
    """
    test = """
        import pytest
        from sqlalchemy import text

        def content(connection):
            queries = [text(f"SELECT * FROM {table} ORDER BY id") for table in ("users", "teams", "log")]
            return [connection.execute(query).all() for query in queries]

        @pytest.mark.harness(isolation="rollback")
        def test_before(db_engine, request):
            with db_engine.connect() as connection:
                request.config.before = content(connection)
            assert len(request.config.before[2]) == 1

        @pytest.mark.harness(isolation="delete")
        @pytest.mark.parametrize("change", [
            "INSERT INTO users (name) VALUES ('ann'), ('bob')",
            "UPDATE teams SET note = NULL",
            "UPDATE users SET team = NULL; DELETE FROM teams; DELETE FROM users",
            "INSERT INTO teams VALUES (5, 1)",
            "SELECT 1",
        ])
        def test_delete(db_engine, request, change):
            with db_engine.begin() as connection:
                assert content(connection) == request.config.before
                connection.exec_driver_sql(change)

        @pytest.mark.harness(isolation="rollback")
        def test_after(db_engine, request):
            with db_engine.begin() as connection:
                assert content(connection) == request.config.before
                assert connection.scalar(text("INSERT INTO users (name) VALUES ('ann') RETURNING id")) == 2
    """
    shop(project, test, "psycopg", "harness_schema = makes:make").write(makes=schema)

    project.run_apart(on(postgres_url)).assert_passed(7)


_FAILS = """
    import pytest
    from shop.models import User

    @pytest.mark.parametrize("isolation", ["rollback", "database", "delete"])
    def test_it(client, db_session, isolation):
        client.post(f"/users/{isolation}")
        db_session.add(User(name="open"))
        db_session.flush()
        raise ValueError
"""


@DRIVERS
def test_failed_tests_leave_their_databases(project: Project, postgres_url: URL, driver: str) -> None:
    """On the user's server, with the commands that open and drop them, and no password."""
    shop(project, _FAILS, driver).write(conftest=_BY_PARAMETER)
    result = project.run_apart(on(postgres_url), "--harness-keep-failed")
    kept = databases(postgres_url)

    assert 3 == result.failed == len(kept), result.text
    found = []
    for name in kept:
        assert f"/{name}\n" in result.text
        assert f" {name}\n" in result.text
        where = postgres_url.set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(where, autocommit=True) as connection:
            found.append([str(row[0]) for row in connection.execute("SELECT name FROM users ORDER BY id")])
        with psycopg.connect(postgres_url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}"')
    assert [["database"], ["delete"], ["rollback", "open"]] == sorted(found)
    assert str(postgres_url.password) not in result.text


_STOPPED = """
    import time
    import pytest

    @pytest.mark.harness(isolation="database")
    @pytest.mark.parametrize("n", range(9))
    def test_it(client, n):
        client.post("/users/ann")
        print("\\nREADY", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_database(project: Project, postgres_url: URL, how: signal.Signals) -> None:
    """At once, or, if it was killed, after the next run with such tests."""
    shop(project, _STOPPED)
    command = [sys.executable, "-m", "pytest", "-p", "harness", "-s", "-p", "no:cacheprovider", on(postgres_url)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert run.stdout is not None
    with run:
        assert any("READY" in line for line in run.stdout)
        assert [] != databases(postgres_url)
        run.send_signal(how)
        run.stdout.read()
    if how is signal.SIGKILL:
        project.write(test_it=_STOPPED.replace("sleep(60)", "sleep(0)"))
        project.run_apart(on(postgres_url)).assert_passed(9)

    assert [] == databases(postgres_url)


def test_a_database_that_cannot_be_copied_is_explained_to_the_tests_that_need_it(
    project: Project, postgres_url: URL
) -> None:
    """And to no others: somebody's own connection to the database of the URL keeps the server from copying it."""
    test = """
        import pytest

        def test_rollback(client):
            assert client.get("/users").json() == []

        @pytest.mark.harness(isolation="database")
        @pytest.mark.parametrize("n", [1, 2])
        def test_database(client, n):
            client.get("/users")

        @pytest.mark.harness(isolation="delete")
        def test_delete(client):
            client.post("/users/ann")
    """
    url = postgres_url.render_as_string(hide_password=False)
    with psycopg.connect(url, application_name="my-ide"):
        result = shop(project, test).run_apart(on(postgres_url))

    assert (2, 2) == (result.passed, result.failed + result.errors), result.text
    result.assert_says("a database for a test could not be created", "my-ide", "close those connections")
