"""The table of capabilities, asked of real servers: a probe works where the table says so, and only there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from harness.database.capabilities import CAPABILITIES, Capability

_TABLES = ("probe_child", "probe", "probe_more")


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mariadb"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, sa.Engine]]:
    """A database's name, and an engine with real connections to it."""
    name: str = request.param
    selected = request.config.getoption("db")
    if selected and name not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    if name == "sqlite":
        url = sa.engine.URL.create("sqlite", database=str(tmp_path_factory.mktemp("probe") / "probe_test.db"))
    else:
        found = request.getfixturevalue(f"{name}_url")
        url = found.set(drivername={"postgres": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}[name])
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": 0.2} if name == "sqlite" else {})
    yield name, engine
    engine.dispose()


def _sends(**by_server: str) -> Callable[[str, sa.Engine], bool]:
    """A probe that sends statements, and is met if none of them is refused."""

    def probe(name: str, engine: sa.Engine) -> bool:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for sql in (by_server.get(name) or by_server["every"]).split(";"):
                if sql.strip():
                    connection.exec_driver_sql(sql)
        return True

    return probe


def _refuses(setup: str, wrong: str) -> Callable[[str, sa.Engine], bool]:
    """A probe that is met if a statement is refused which the database could as well let through."""

    def probe(name: str, engine: sa.Engine) -> bool:
        _sends(every=setup)(name, engine)
        with engine.begin() as connection:
            try:
                connection.exec_driver_sql(wrong)
            except DBAPIError:
                return True
        return False

    return probe


def _lock(name: str, engine: sa.Engine, first: str, second: str) -> bool:
    """Tell whether the second connection gets on while the first has its transaction open."""
    _sends(every="CREATE TABLE probe (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO probe VALUES (1, 1), (2, 2)")(
        name, engine
    )
    timeout = {"postgres": "SET lock_timeout = '300ms'", "mariadb": "SET innodb_lock_wait_timeout = 1"}.get(name)
    with engine.connect() as one, engine.connect() as two:
        one.exec_driver_sql(first)
        if timeout:
            two.exec_driver_sql(timeout)
        try:
            two.exec_driver_sql(second).close()
        except DBAPIError:
            return False
        return True


def _concurrent_writers(name: str, engine: sa.Engine) -> bool:
    return _lock(name, engine, "UPDATE probe SET v = 5 WHERE id = 1", "UPDATE probe SET v = 6 WHERE id = 2")


def _select_for_update(name: str, engine: sa.Engine) -> bool:
    select = "SELECT v FROM probe WHERE id = 1 FOR UPDATE"
    return not _lock(name, engine, select, select)


def _skip_locked(name: str, engine: sa.Engine) -> bool:
    select = "SELECT v FROM probe WHERE id = 1 FOR UPDATE"
    return _lock(name, engine, select, f"{select} SKIP LOCKED")


def _advisory_locks(name: str, engine: sa.Engine) -> bool:
    sql = {"postgres": "SELECT pg_try_advisory_lock(1)", "mariadb": "SELECT GET_LOCK('probe', 0)"}.get(name)
    with engine.connect() as one, engine.connect() as two:
        held = [one.exec_driver_sql(sql or "SELECT GET_LOCK('probe', 0)").scalar() for one in (one, two)]
    return held in ([True, False], [1, 0])


def _transactional_ddl(name: str, engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("CREATE TABLE probe (id INTEGER)")
        connection.exec_driver_sql("ROLLBACK")
    return not sa.inspect(engine).has_table("probe")


def _deferrable(name: str, engine: sa.Engine) -> bool:
    _sends(every="CREATE TABLE probe (id INTEGER PRIMARY KEY)")(name, engine)
    with engine.connect() as connection:
        if name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql(
            "CREATE TABLE probe_child (id INTEGER, parent INTEGER,"
            " FOREIGN KEY (parent) REFERENCES probe (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.exec_driver_sql("INSERT INTO probe_child VALUES (1, 7)")
        connection.exec_driver_sql("INSERT INTO probe VALUES (7)")
        connection.commit()
    return True


def _schemas(name: str, engine: sa.Engine) -> bool:
    """Of one database: what MariaDB calls a schema is another database."""
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA probe_schema")
        try:
            databases = (
                connection.exec_driver_sql("SHOW DATABASES").scalars().all() if name == "mariadb" else ["of its own"]
            )
        finally:
            connection.exec_driver_sql("DROP SCHEMA probe_schema")
    return "probe_schema" not in databases


def _full_text(name: str, engine: sa.Engine) -> bool:
    create = "CREATE TABLE probe (id INTEGER PRIMARY KEY, v TEXT);"
    index = {
        "postgres": "CREATE INDEX probe_v ON probe USING gin (to_tsvector('english', v))",
    }.get(name, "CREATE FULLTEXT INDEX probe_v ON probe (v)")
    return _sends(every=create + index)(name, engine)


def _time_zones(name: str, engine: sa.Engine) -> bool:
    """The same moment, written in two zones, is the same value."""
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE probe (id INTEGER, v TIMESTAMP WITH TIME ZONE)")
        connection.exec_driver_sql("INSERT INTO probe VALUES (1, '2030-01-01 12:00:00+00:00')")
        connection.exec_driver_sql("INSERT INTO probe VALUES (2, '2030-01-01 14:00:00+02:00')")
        return connection.exec_driver_sql("SELECT count(DISTINCT v) FROM probe").scalar() == 1


_FUNCTION = {
    "postgres": "CREATE FUNCTION probe_function() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'",
    "every": "CREATE FUNCTION probe_function() RETURNS INTEGER DETERMINISTIC RETURN 1",
}
_ENUM = {
    "postgres": "CREATE TYPE probe_enum AS ENUM ('a'); CREATE TABLE probe (id INTEGER, v probe_enum)",
    "every": "CREATE TABLE probe (id INTEGER, v ENUM('a'))",
}


def _enums(name: str, engine: sa.Engine) -> bool:
    return _refuses(_ENUM.get(name, _ENUM["every"]), "INSERT INTO probe VALUES (1, 'b')")(name, engine)


PROBES: dict[str, Callable[[str, sa.Engine], bool]] = {
    "advisory_locks": _advisory_locks,
    "arrays": _sends(every="CREATE TABLE probe (v INTEGER[]); SELECT v FROM probe WHERE 1 = ANY (v)"),
    "check_constraints": _refuses("CREATE TABLE probe (v INTEGER CHECK (v > 0))", "INSERT INTO probe VALUES (-1)"),
    "concurrent_writers": _concurrent_writers,
    "deferrable_constraints": _deferrable,
    "enums": _enums,
    "exclusion_constraints": _sends(every="CREATE TABLE probe (v INTEGER, EXCLUDE USING btree (v WITH =))"),
    "full_text": _full_text,
    "ilike": _sends(every="SELECT 'Ann' ILIKE 'ann'"),
    "jsonb": _refuses(
        "CREATE TABLE probe (v JSONB); SELECT v FROM probe WHERE v @> '{}'", "INSERT INTO probe VALUES ('no json')"
    ),
    "listen_notify": _sends(every="LISTEN probe; NOTIFY probe; UNLISTEN probe"),
    "partial_indexes": _sends(
        every="CREATE TABLE probe (v INTEGER); CREATE UNIQUE INDEX probe_v ON probe (v) WHERE v > 0;"
        "INSERT INTO probe VALUES (-1), (-1)"
    ),
    "returning": _sends(every="CREATE TABLE probe (v INTEGER); INSERT INTO probe VALUES (1) RETURNING v"),
    "savepoints": _sends(every="BEGIN; SAVEPOINT probe; ROLLBACK TO SAVEPOINT probe; COMMIT"),
    "schemas": _schemas,
    "select_for_update": _select_for_update,
    "sequences": _sends(
        every="CREATE SEQUENCE probe_sequence; SELECT nextval('probe_sequence')",
        mariadb="CREATE SEQUENCE probe_sequence; SELECT nextval(probe_sequence)",
    ),
    "skip_locked": _skip_locked,
    "stored_functions": _sends(**_FUNCTION),
    "time_zones": _time_zones,
    "transactional_ddl": _transactional_ddl,
    "uuid": _refuses("CREATE TABLE probe (v UUID)", "INSERT INTO probe VALUES ('no uuid')"),
}
_LEFT = ("FUNCTION probe_function", "SEQUENCE probe_sequence", "TYPE probe_enum")


@pytest.fixture
def clean(server: tuple[str, sa.Engine]) -> Iterator[None]:
    """Nothing of a probe is left to the next."""
    yield
    for what in (*(f"TABLE {table}" for table in _TABLES), *_LEFT):
        with server[1].begin() as connection, suppress(DBAPIError):
            connection.exec_driver_sql(f"DROP {what}")


def test_every_capability_has_a_probe() -> None:
    """And each is named and explained once, in the order of the alphabet."""
    names = [capability.name for capability in CAPABILITIES]

    assert sorted(set(names)) == names == sorted(PROBES)
    assert all(capability.means and capability.has for capability in CAPABILITIES)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda capability: capability.name)
def test_a_capability_is_there_where_the_table_says_so(server: tuple[str, sa.Engine], capability: Capability) -> None:
    """And a database that is not named really cannot."""
    name, engine = server
    try:
        can = PROBES[capability.name](name, engine)
    except DBAPIError:
        can = False

    assert (name in capability.has) == can
