"""`isolation="database"` and `"delete"` on a real MariaDB, as a user runs them, with each driver."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.engine import URL

from harness.database import identity
from harness.database.mysql_catalogs import MysqlCatalogs
from harness.database.warm import AHEAD, WarmClones
from tests.backends.test_catalogs import wait_until
from tests.backends.test_own_database import _BY_PARAMETER, _FAILS, _MIXED, _STOPPED
from tests.support.projects import ASYNC_APP, STRICT, SYNC_APP, Project, new_project

_OWN = "mysql+{}://nobody@production.invalid/shop"
_APPS = {
    "pymysql": SYNC_APP.replace("sqlite:///production.db", _OWN.format("pymysql")),
    "mariadb": SYNC_APP.replace("sqlite:///production.db", "mariadb+pymysql://nobody@production.invalid/shop"),
    "aiomysql": ASYNC_APP.replace("sqlite+aiosqlite:///production.db", _OWN.format("aiomysql")),
    "asyncmy": ASYNC_APP.replace("sqlite+aiosqlite:///production.db", _OWN.format("asyncmy")),
    "sqlite app": SYNC_APP,
}


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[URL]:
    """A database that no other test leaves anything in: some of them kill their run."""
    if (selected := request.config.getoption("db")) and "mariadb" not in selected:
        pytest.skip(reason="--db leaves this server out")
    mariadb_url: URL = request.getfixturevalue("mariadb_url")
    with closing(MysqlCatalogs(mariadb_url, identity.current())) as catalogs:
        catalogs._admin.script("CREATE DATABASE test_own")
        yield mariadb_url.set(database="test_own")
        catalogs._admin.script("DROP DATABASE test_own")


def shop(project: Project, test: str, driver: str = "pymysql", *ini: str) -> Project:
    project.app().write(shop__main=_APPS[driver], test_it=test).ini("harness_app = shop.main:app", *ini)
    models = project.path / "shop/models.py"
    text = models.read_text().replace("mapped_column(unique=True)", "mapped_column(sa.String(50), unique=True)")
    models.write_text(f"import sqlalchemy as sa\n{text}")
    return project


def on(url: URL) -> str:
    return f"--harness-database={url.render_as_string(hide_password=False)}"


def databases(url: URL) -> list[str]:
    """The databases that runs have made and not dropped."""
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        return [found.name for found in catalogs.found() if found.name.startswith(f"{url.database}_har")]


@pytest.mark.parametrize("driver", _APPS)
def test_tests_of_every_isolation_mix_in_one_run(project: Project, url: URL, driver: str) -> None:
    """With the same ids, the same errors and nothing left, in the database and on the server."""
    # These servers show a transaction what was there when it first looked.
    mixed = _MIXED.replace('client.post("/users/bob")\n', 'client.post("/users/bob")\n        db_session.commit()\n')
    shop(project, mixed, driver, STRICT).write(conftest=_BY_PARAMETER)

    project.run_apart(on(url)).assert_passed(9)
    assert [] == databases(url)


def test_what_only_real_connections_can_do(project: Project, url: URL) -> None:
    """Two transactions at once, lock waits, other isolation levels, DDL; the next test sees nothing of it."""
    test = """
        import pytest
        from sqlalchemy import inspect, text
        from sqlalchemy.exc import OperationalError

        pytestmark = pytest.mark.harness(isolation="database")

        def test_locks(db_engine):
            with db_engine.begin() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('ann')"))
            with db_engine.connect() as one, db_engine.connect() as other:
                one.execute(text("SELECT * FROM users FOR UPDATE"))
                other.execute(text("SET innodb_lock_wait_timeout = 1"))
                with pytest.raises(OperationalError, match="Lock wait timeout"):
                    other.execute(text("SELECT * FROM users FOR UPDATE"))

        def test_what_is_not_committed_is_not_seen(db_engine):
            with db_engine.connect() as one, db_engine.connect() as other:
                other = other.execution_options(isolation_level="READ COMMITTED")
                one.execute(text("INSERT INTO users (name) VALUES ('ann')"))
                assert other.scalar(text("SELECT count(*) FROM users")) == 0
                one.commit()
                assert other.scalar(text("SELECT count(*) FROM users")) == 1

        def test_ddl(db_engine, client, db_url):
            with db_engine.begin() as connection:
                connection.execute(text("CREATE TABLE pets (id int)"))
                connection.execute(text("ALTER TABLE users ADD age int"))
            assert inspect(db_engine).get_table_names() == ["pets", "users"]
            assert inspect(db_engine).default_schema_name == db_url.database
            client.post("/users/ann")

        def test_a_transaction_that_is_forgotten(db_engine):
            kept.append(db_engine.connect())
            kept[0].execute(text("INSERT INTO users (name) VALUES ('ann')"))

        @pytest.mark.harness(isolation="rollback")
        def test_after(db_engine, client):
            assert client.get("/users").json() == []
            assert inspect(db_engine).get_table_names() == ["users"]

        kept = []
    """
    shop(project, test).run_apart(on(url)).assert_passed(5)
    assert [] == databases(url)


@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
def test_asynchronous_connections_are_closed_on_their_loop(project: Project, url: URL, driver: str) -> None:
    """Real ones of the engine's own driver, also those that somebody forgot in the middle of a transaction."""
    test = f"""
        import pytest
        from shop.main import engine
        from sqlalchemy import text

        @pytest.mark.asyncio
        @pytest.mark.parametrize("time", [1, 2])
        @pytest.mark.harness(isolation="database")
        async def test_it(async_client, async_db_session, time):
            assert (await async_client.post("/users/ann")).status_code == 201
            assert await async_db_session.scalar(text("SELECT count(*) FROM users")) == 1
            kept.append(await engine.connect())
            await kept[-1].execute(text("UPDATE users SET name = 'bob'"))
            raw = await kept[-1].get_raw_connection()
            assert type(raw.driver_connection).__module__.startswith({driver!r})

        kept = []
    """
    result = shop(project, test, driver, STRICT).run_apart(
        on(url), "-W", "error::pytest.PytestUnraisableExceptionWarning"
    )
    result.assert_passed(2)
    assert [] == databases(url)


_SCHEMA = """
    from sqlalchemy import text

    def make(engine):
        with engine.begin() as connection:
            for statement in (
                "CREATE TABLE teams (id int PRIMARY KEY, lead int, twice int AS (id * 2) STORED,"
                " note json, share float, flag bit(3), raw varbinary(9), at time(3))",
                "CREATE TABLE users (id int PRIMARY KEY AUTO_INCREMENT, name varchar(50) UNIQUE, team int,"
                " CONSTRAINT in_team FOREIGN KEY (team) REFERENCES teams (id) ON DELETE SET NULL) AUTO_INCREMENT = 7",
                "ALTER TABLE teams ADD CONSTRAINT has_lead FOREIGN KEY (lead) REFERENCES users (id)",
                "CREATE TABLE log (id int PRIMARY KEY AUTO_INCREMENT, what varchar(50))",
                "CREATE SEQUENCE tickets START WITH 5 INCREMENT BY 1 NOCACHE",
                "CREATE TABLE queue (ticket int PRIMARY KEY DEFAULT nextval(tickets))",
                "CREATE FUNCTION loud(word varchar(50)) RETURNS varchar(50) DETERMINISTIC RETURN upper(word)",
                "CREATE VIEW z_shouted AS SELECT loud(name) shout FROM users",
                "CREATE VIEW a_crowd AS SELECT shout FROM z_shouted",
                "CREATE TRIGGER logs AFTER INSERT ON users FOR EACH ROW INSERT INTO log (what) VALUES (new.name)",
                "INSERT INTO teams (id, note, share, flag, raw, at)"
                " VALUES (0, '{\\"k\\": [1, null]}', 0.1, b'101', x'00ff27', '-01:02:03.456')",
                "INSERT INTO users (name, team) VALUES ('o''hara \\\\\\\\ ü', 0)",
                "UPDATE teams SET lead = 7",
                "INSERT INTO queue () VALUES ()",
            ):
                connection.exec_driver_sql(statement)
"""
_SEES_ALL = """
    import pytest
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    @pytest.mark.harness(isolation="database")
    @pytest.mark.parametrize("time", [1, 2, 3])
    def test_it(db_engine, db_url, time):
        with db_engine.connect() as connection:
            def one(sql):
                return tuple(connection.execute(text(sql)).one())

            assert one("SELECT id, lead, twice, json_value(note, '$.k[0]'), share, flag + 0, hex(raw),"
                       " cast(at AS char) FROM teams") == (0, 7, 0, "1", 0.1, 5, "00FF27", "-01:02:03.456")
            assert one("SELECT shout FROM a_crowd") == ("O'HARA \\\\ Ü",)
            assert one("SELECT id, what FROM log") == (1, "o'hara \\\\ ü")
            assert one("SELECT view_definition LIKE '%test_own_harness%' AND view_definition NOT LIKE"
                       " concat('%', database(), '%') FROM information_schema.views WHERE table_schema = database()"
                       " AND table_name = 'a_crowd'") == (0,)
            connection.execute(text("INSERT INTO users (name) VALUES ('bob')"))
            assert one("SELECT max(id) FROM users") == (8,)
            assert one("SELECT max(what) FROM log WHERE id = 2") == ("bob",)
            connection.execute(text("INSERT INTO queue () VALUES ()"))
            assert one("SELECT max(ticket) FROM queue") == (6,)
            with pytest.raises(IntegrityError, match="in_team"):
                connection.execute(text("INSERT INTO users (name, team) VALUES ('eve', 99)"))
            connection.commit()
"""


def test_all_that_a_schema_consists_of_is_copied(project: Project, url: URL) -> None:
    """Keys in a circle, counters, sequences, computed columns, routines, views of views, triggers, rows as they are."""
    shop(project, _SEES_ALL, "pymysql", "harness_schema = schema:make").write(schema=_SCHEMA)
    project.run_apart(on(url)).assert_passed(3)
    assert [] == databases(url)


def test_rows_of_wider_fixtures_are_copied(project: Project, url: URL) -> None:
    """With their ids, as they are; what triggers have made of them is not made twice."""
    seed = """
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def seed():
            from sqlalchemy import text
            from shop.main import engine
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('seed %s'), ('\\\\'\\\\\\\\')"))
                connection.execute(text("INSERT INTO teams (id, share, flag, raw, at)"
                                        " VALUES (3, 0.3, 1, x'00', '-1:0')"))

        @pytest.mark.parametrize("isolation", ["database", "rollback", "database", "delete", "rollback"])
        def test_it(isolation, db_engine):
            from sqlalchemy import text
            with db_engine.begin() as connection:
                assert connection.execute(text("SELECT id, name FROM users WHERE id > 7 ORDER BY id")).all() == [
                    (8, "seed %s"), (9, "'\\\\")]
                assert connection.execute(text("SELECT share, flag + 0, hex(raw), cast(at AS char), lead, twice"
                    " FROM teams WHERE id = 3")).one() == (0.3, 1, "00", "-01:00:00.000", None, 6)
                assert connection.scalar(text("SELECT count(*) FROM log")) == 3
                connection.execute(text("INSERT INTO users (name) VALUES ('ann')"))
                assert connection.scalar(text("SELECT max(id) FROM users")) == 10 or isolation == "rollback"
                assert connection.scalar(text("SELECT count(*) FROM log")) == 4
    """
    shop(project, seed, "pymysql", "harness_schema = schema:make").write(schema=_SCHEMA, conftest=_BY_PARAMETER)
    project.run_apart(on(url)).assert_passed(5)
    assert [] == databases(url)


_PASSES = """
    import pytest

    @pytest.mark.parametrize("isolation", ["database"])
    def test_it(client, isolation):
        assert client.get("/users").json() == []
"""


def test_failed_tests_leave_their_databases(project: Project, url: URL) -> None:
    """On the user's server, with the commands that open and drop them; the next run sweeps none, but their label."""
    shop(project, _FAILS).write(conftest=_BY_PARAMETER)
    result = project.run_apart(on(url), "--harness-keep-failed")
    *kept, label = databases(url)

    assert 3 == result.failed == len(kept), result.text
    project.write(test_it=_PASSES).run_apart(on(url)).assert_passed(1)
    assert [*kept, label] == databases(url)
    found = []
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        for name in kept:
            result.assert_says(f" -u root -p {name}\n", f" -u root -p drop {name}\n")
            found.append(catalogs._admin.scalars(f"SELECT name FROM {name}.users ORDER BY id"))
            catalogs._admin.script(f"DROP DATABASE {name}")
        catalogs.sweep(print)
    assert [["database"], ["delete"], ["rollback", "open"]] == sorted(found)
    assert [] == databases(url)
    assert str(url.password) not in result.text


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_database(project: Project, url: URL, how: signal.Signals) -> None:
    """At once, or, if it was killed, after the next run with such tests."""
    shop(project, _STOPPED)
    command = [sys.executable, "-m", "pytest", "-p", "harness", "-s", "-p", "no:cacheprovider", on(url)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert run.stdout is not None
    with run:
        assert any("READY" in line for line in run.stdout)
        assert [] != databases(url)
        run.send_signal(how)
        run.stdout.read()
    if how is signal.SIGKILL:
        project.write(test_it=_STOPPED.replace("sleep(60)", "sleep(0)")).run_apart(on(url)).assert_passed(9)

    assert [] == databases(url)


def test_copies_are_ready_before_they_are_asked_for_and_few(url: URL) -> None:
    """As many as are still needed, and never more than a handful; all are gone at the end."""
    run = identity.current()
    with closing(MysqlCatalogs(url, run)) as catalogs:
        catalogs._admin.script("CREATE TABLE test_own.thing (id int)", "INSERT INTO test_own.thing VALUES (1)")
        left = 2
        clones = WarmClones(url, run, lambda: left, print)
        try:
            first = clones.acquire()
            wait_until(lambda: len(databases(url)) == 1 + 1 + 2 + 1)  # template, the first, two ahead, whose they are
            assert [1] == catalogs._admin.scalars(f"SELECT id FROM {first.name}.thing")
            left = 100
            clones.release(first)
            wait_until(lambda: len(databases(url)) == 2 + AHEAD and first.name not in databases(url))
        finally:
            clones.close()
    assert [] == databases(url)


def test_what_cannot_be_copied_is_told_to_the_tests_that_need_it(project: Project, url: URL) -> None:
    """And to no others: here a view of a table that is gone."""
    test = """
        import pytest

        def test_rollback(client):
            assert client.get("/users").json() == []

        @pytest.mark.harness(isolation="database")
        def test_database(client):
            client.get("/users")
    """
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        catalogs._admin.script(
            "CREATE TABLE test_own.t (id int)", "CREATE VIEW test_own.v AS SELECT id FROM test_own.t"
        )
        catalogs._admin.script("DROP TABLE test_own.t")
    result = shop(project, test).run_apart(on(url))

    assert (1, 1) == (result.passed, result.failed + result.errors), result.text
    result.assert_says(
        "could not be created", "copied from test_own, and the server says", "_template.t' doesn't exist"
    )
    assert [] == databases(url)


def test_workers_copy_routines_that_stand_alone(project: Project, url: URL) -> None:
    """A database with no table in it is not empty for that."""
    test = """
        from sqlalchemy import text

        def test_it(db_session):
            assert db_session.scalar(text("SELECT twice(4)")) == 8
    """
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        catalogs._admin.script("CREATE FUNCTION test_own.twice(n int) RETURNS int DETERMINISTIC RETURN 2 * n")
    shop(project, test).run_apart(on(url), "-p", "xdist", "-n1").assert_passed(1)


def test_workers_and_their_tests_copy_what_is_in_the_database(project: Project, url: URL) -> None:
    """With `harness_schema = none`, each worker begins with the user's own rows, and so does each of its tests."""
    test = """
        import pytest

        @pytest.mark.parametrize("isolation", ["rollback", "database"] * 3)
        def test_it(client, isolation):
            assert client.get("/users").json() == ["mine"]
            client.post("/users/ann")
    """
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        catalogs._admin.script(
            "CREATE TABLE test_own.users (id int PRIMARY KEY AUTO_INCREMENT, name varchar(50) UNIQUE)",
            "INSERT INTO test_own.users (name) VALUES ('mine')",
        )
        shop(project, test, "pymysql", "harness_schema = none").write(conftest=_BY_PARAMETER)
        project.run_apart(on(url), "-p", "xdist", "-n2").assert_passed(6)
        assert ["mine"] == catalogs._admin.scalars("SELECT name FROM test_own.users")
    assert [] == databases(url)


def test_the_grant_that_a_refusal_names_is_enough(project: Project, url: URL) -> None:
    """To copy all that a schema consists of, as a user who may do nothing else."""
    guest = url.set(username="guest", password="secret-word")
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        catalogs._admin.script("CREATE USER guest IDENTIFIED BY 'secret-word'", "GRANT ALL ON test_own.* TO guest")
        try:
            refused = shop(project, _PASSES).write(conftest=_BY_PARAMETER).run_apart(on(guest))
            (grant,) = re.findall(r"let the user create databases: (GRANT .*)", refused.text)[:1]
            catalogs._admin.script(grant)
            project.ini("harness_app = shop.main:app", "harness_schema = schema:make")
            granted = project.write(test_it=_SEES_ALL, schema=_SCHEMA, conftest="").run_apart(on(guest))
        finally:
            catalogs._admin.script("DROP USER guest")

    assert 1 == refused.failed + refused.errors, refused.text
    refused.assert_says("a database for a test could not be created", 'do with isolation="rollback" on this server')
    assert "secret-word" not in refused.text
    granted.assert_passed(3)
    assert [] == databases(url)
