"""SQLite in memory and in a file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from harness.database import sqlite
from harness.database.drivers.sqlite import WholeCursor
from harness.errors import DatabaseUnavailable, UnsafeDatabase


def _raw(url: sa.URL) -> sqlite3.Connection:
    connection = sa.create_engine(url).raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def test_memory_is_one_database_for_all_connections_and_threads() -> None:
    """What one connection commits, another one in another thread sees."""
    database = sqlite.memory("run1")
    seen: list[int] = []

    def other() -> None:
        engine = sa.create_engine(database.url)
        with engine.connect() as connection:
            seen.extend(connection.execute(sa.text("SELECT x FROM t")).scalars())
        engine.dispose()

    engine = sa.create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
        connection.execute(sa.text("INSERT INTO t VALUES (7)"))
    engine.dispose()
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    database.close()

    assert seen == [7]


def test_two_databases_of_one_run_are_two() -> None:
    """Each call makes a new one."""
    one, two = sqlite.memory("run1"), sqlite.memory("run1")

    assert one.url != two.url
    one.close()
    two.close()


def test_memory_survives_a_url_as_text() -> None:
    """The application gets the URL through an environment variable."""
    database = sqlite.memory("run1")

    assert sa.make_url(database.url.render_as_string(hide_password=False)) == database.url
    database.close()


def test_memory_is_given_back_on_close() -> None:
    """Its content goes with the last connection; closing twice is closing once."""
    database = sqlite.memory("run1")
    engine = sa.create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
    engine.dispose()
    database.close()
    database.close()
    engine = sa.create_engine(database.url)

    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_memory_belongs_to_harness_and_says_so() -> None:
    """It is created and removed by harness, and the header calls it by what it is."""
    database = sqlite.memory("run1")
    database.close()

    assert (database.backend, database.origin, database.created) == ("sqlite", "in memory", True)


def test_an_old_sqlite_gets_a_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 3.36, each connection to a memdb would silently see a database of its own."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    database = sqlite.memory("run1")
    path = Path(str(database.url.database))
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()

    assert path.exists()
    database.close()
    assert not path.parent.exists()


def test_a_file_that_was_missing_is_made_and_removed(tmp_path: Path) -> None:
    """What harness has made does not stay behind."""
    path = tmp_path / "app_test.db"
    database = sqlite.file(path)
    assert path.exists()

    database.close()

    assert not path.exists()
    assert (database.created, database.origin) == (True, f"file {path}")


def test_a_file_that_was_there_stays(tmp_path: Path) -> None:
    """It is the user's; what harness puts into it is removed by the schema room."""
    path = tmp_path / "app_test.db"
    path.touch()
    database = sqlite.file(path)

    database.close()

    assert path.exists()
    assert not database.created


def test_a_file_is_the_same_from_every_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application may change the working directory."""
    monkeypatch.chdir(tmp_path)

    assert sqlite.file(Path("app_test.db")).url.database == str(tmp_path / "app_test.db")


def test_a_file_without_test_in_its_name_is_not_touched(tmp_path: Path) -> None:
    """It is refused before it is opened."""
    with pytest.raises(UnsafeDatabase):
        sqlite.file(tmp_path / "app.db")

    assert os.listdir(tmp_path) == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """SQLite only says that it is unable to open the file."""
    with pytest.raises(DatabaseUnavailable) as refused:
        sqlite.file(tmp_path / "nowhere" / "app_test.db")

    assert f"the directory {tmp_path / 'nowhere'} does not exist" in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Before any test runs, with SQLite's own words."""
    path = tmp_path / "app_test.db"
    path.write_text("not a database, but long enough to have a header of a hundred bytes" * 3)
    with pytest.raises(DatabaseUnavailable) as refused:
        sqlite.file(path)

    assert "file is not a database" in str(refused.value)


@pytest.fixture
def cursor() -> Iterator[WholeCursor]:
    """A cursor with four rows."""
    connection = sqlite3.connect(":memory:")
    cursor = connection.cursor(WholeCursor)
    cursor.execute("WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 4) SELECT v FROM n")
    yield cursor
    connection.close()


def test_a_whole_cursor_hands_its_rows_out_as_sqlite3_does(cursor: WholeCursor) -> None:
    """One, some, all that are left, and none."""
    assert (1,) == cursor.fetchone()
    assert [(2,)] == cursor.fetchmany()
    assert [(3,)] == cursor.fetchmany(1)
    assert [(4,)] == cursor.fetchall()
    assert (None, [], []) == (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall())
    assert [(1,), (2,)] == list(cursor.execute("SELECT 1 UNION SELECT 2"))
    assert "v" == cursor.execute("SELECT 1 AS v").description[0][0]


def test_a_whole_cursor_has_no_rows_of_an_earlier_statement(cursor: WholeCursor) -> None:
    """One that returns none has none."""
    assert [] == cursor.execute("CREATE TABLE t (v)").fetchall()
    cursor.execute("SELECT 1")
    assert [] == cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)]).fetchall()
    assert 2 == cursor.rowcount


def test_a_whole_cursor_whose_statement_failed_has_no_rows(cursor: WholeCursor) -> None:
    """Nor those of the statement before."""
    with pytest.raises(sqlite3.OperationalError):
        cursor.execute("SELECT * FROM nowhere")

    assert [] == cursor.fetchall()


def test_a_closed_whole_cursor_says_so(cursor: WholeCursor) -> None:
    """As sqlite3's own does."""
    cursor.close()

    for fetch in (cursor.fetchall, cursor.fetchone, cursor.fetchmany):
        with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
            fetch()
