"""What is particular to MySQL and MariaDB: implicit commits, counters that no rollback sets back, two names."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from harness.errors import IsolationError
from harness.isolation.moments import Moments
from harness.isolation.numbering import bases
from tests.backends.conftest import MARIADB, Backend
from tests.backends.test_isolation_laws import add, names
from tests.support.tables import Thing

pytestmark = pytest.mark.parametrize("backend", MARIADB, indirect=True)


@pytest.fixture
def mariadb(backend: Backend) -> Backend:
    return backend


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE extra (id INTEGER)",
        "ALTER TABLE thing ADD COLUMN more INTEGER",
        "DROP TABLE part",
        "RENAME TABLE part TO parts",
        "CREATE INDEX more ON thing (v)",
        "LOCK TABLES thing WRITE",
        "ANALYZE TABLE thing",
        "/* hello */ GRANT SELECT ON *.* TO nobody",
    ],
)
def test_a_statement_that_would_commit_implicitly_is_refused_and_nothing_is_lost(mariadb: Backend, sql: str) -> None:
    """The server would commit the whole test; what came before is still undone."""

    def law() -> None:
        add(mariadb.engine, "before")
        with mariadb.engine.connect() as connection, pytest.raises(IsolationError) as caught:
            connection.execute(sa.text(sql))
        told = str(caught.value)
        assert f"{sql} was refused: it would commit the test's transaction" in told
        assert "test_mariadb_laws.py" in told
        assert 'isolation="database"' in told
        assert 'isolation="none"' in told

    with mariadb.test() as problems:
        mariadb.run(law)
    assert problems == []
    assert mariadb.rows() == []


def test_emptying_a_table_with_truncate_is_refused_and_delete_is_named(mariadb: Backend) -> None:
    """DELETE does the same and can be undone."""

    def law() -> None:
        with mariadb.engine.connect() as connection, pytest.raises(IsolationError, match="DELETE FROM"):
            connection.execute(sa.text("TRUNCATE TABLE part"))

    with mariadb.test():
        mariadb.run(law)


def test_a_temporary_table_lasts_as_long_as_the_test(mariadb: Backend) -> None:
    """It commits nothing, so it is allowed; the next test does not find it."""

    def law() -> None:
        with mariadb.engine.begin() as connection:
            connection.execute(sa.text("CREATE TEMPORARY TABLE scratch (id INTEGER)"))
            connection.execute(sa.text("INSERT INTO scratch VALUES (1)"))
            assert connection.execute(sa.text("SELECT count(*) FROM scratch")).scalar() == 1

    for _ in ("one test", "the next"):
        with mariadb.test() as problems:
            mariadb.run(law)
        assert problems == []


def test_ids_start_anew_in_each_test(mariadb: Backend) -> None:
    """AUTO_INCREMENT does not roll back by itself."""

    def law() -> list[int]:
        add(mariadb.engine, "a")
        add(mariadb.engine, "b")
        with Session(mariadb.engine) as session:
            return list(session.scalars(sa.select(Thing.id).order_by(Thing.id)))

    for _ in ("one test", "the next"):
        with mariadb.test() as problems:
            assert mariadb.run(law) == [1, 2]
        assert problems == []


def test_ids_of_a_range_of_the_tables_own_begin_anew_too(mariadb: Backend) -> None:
    """With `harness_ids = distinct`; the counter itself can only be set outside of a transaction."""

    def law() -> list[int]:
        add(mariadb.engine, "a")
        add(mariadb.engine, "b")
        with Session(mariadb.engine) as session:
            return list(session.scalars(sa.select(Thing.id).order_by(Thing.id)))

    base = bases(["part", "thing"])["thing"]
    mariadb.target.pinned.ids = "distinct"
    for _ in ("one test", "the next"):
        with mariadb.test() as problems:
            assert mariadb.run(law) == [base + 1, base + 2]
        assert problems == []


def test_time_advances_between_transactions_by_whole_seconds(mariadb: Backend) -> None:
    """With `harness_now = advancing`; a DATETIME keeps no more, so a second is the least that can be seen."""
    moments = mariadb.target.pinned.moments = Moments()

    def told(session: Session) -> datetime:
        found = session.scalar(sa.select(sa.func.now()))
        assert isinstance(found, datetime)
        return found

    def law() -> list[datetime]:
        seen = []
        with Session(mariadb.engine) as session:
            for end in (session.commit, session.rollback, session.close):
                seen.append(told(session))
                assert seen[-1] == told(session)
                end()
        return seen

    with mariadb.test():
        moments.advancing = True
        first, second, third = mariadb.run(law)
        assert first + timedelta(seconds=1) <= second
        assert second + timedelta(seconds=1) <= third
    with mariadb.test():
        moments.advancing = False

        def now() -> datetime:
            with Session(mariadb.engine) as session:
                return told(session)

        assert mariadb.run(now) <= third


def test_outside_of_any_test_ddl_commits_what_its_connection_had_open(mariadb: Backend) -> None:
    """As the server does it: the schema is made there, and by tests without isolation."""

    def law() -> None:
        with mariadb.engine.connect() as connection:
            connection.execute(sa.insert(Thing).values(v="kept"))
            connection.execute(sa.text("CREATE TABLE extra (id INTEGER)"))
            connection.rollback()
            connection.execute(sa.text("DROP TABLE extra"))

    mariadb.run(law)
    assert mariadb.rows() == ["kept"]


def test_an_engine_keeps_the_name_that_its_database_has_for_it(mariadb: Backend) -> None:
    """Types and options that an application gives for `mariadb` or for `mysql` are compiled as in production."""
    name = "mariadb" if mariadb.driver in ("mysqldb", "asyncmy") else "mysql"

    def law() -> None:
        add(mariadb.engine, "x")
        with Session(mariadb.engine) as session:
            assert names(session) == ["x"]
        assert mariadb.engine.dialect.name == name
        assert mariadb.engine.dialect.is_mariadb  # type: ignore[attr-defined]  # MySQL's dialects have it

    with mariadb.test():
        mariadb.run(law)


def test_an_autocommitting_connection_commits_each_statement_into_the_test(mariadb: Backend) -> None:
    """AUTOCOMMIT is a method call with these drivers."""

    def law() -> None:
        with mariadb.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.insert(Thing).values(v="kept"))
            connection.rollback()
        with Session(mariadb.engine) as session:
            assert names(session) == ["kept"]

    with mariadb.test():
        mariadb.run(law)
    assert mariadb.rows() == []
