"""SQLite, in memory or in a file."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.database.cleanup import guaranteed
from harness.database.guard import check_is_test_database
from harness.database.handle import Database, nothing_to_close
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL

    from harness.database.identity import RunIdentity


def memory(run_id: str) -> Database:
    """Create a database in memory that all connections of this process share, whatever their driver or thread.

    A plain `:memory:` is a new database for each connection, and `cache=shared` locks whole tables. SQLite's memdb
    has neither flaw; it lives as long as somebody is connected, hence the anchor. Before 3.36 it could not be
    shared: there, a temporary file stands in.
    """
    name = f"harness_{run_id}_{uuid4().hex[:6]}"
    if sqlite3.sqlite_version_info < (3, 36):
        return _temporary(name)
    address = f"file:/{name}?vfs=memdb"
    anchor = sqlite3.connect(address, uri=True, check_same_thread=False)
    anchor.execute("PRAGMA schema_version")  # memdb makes the database on first use
    return Database(
        url=_url(f"file:/{name}", vfs="memdb", uri="true"),
        backend="sqlite",
        origin="in memory",
        created=True,
        close=guaranteed(anchor.close, outlives_process=False),
    )


def file(path: Path, allowed: str | None = None) -> Database:
    """Use the file the user named. If it is missing it is made, and removed afterwards; one that was there stays.

    Raises:
        UnsafeDatabase: its name does not say that it is for tests, and `allowed` does not match.
        DatabaseUnavailable: it cannot be opened, or is no database.
    """
    check_is_test_database(_url(str(path)), allowed)
    # Absolute, because the application may change the working directory.
    path = path.absolute()
    found = path.exists()
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as problem:
        missing = not path.parent.is_dir()
        raise DatabaseUnavailable(
            f"the SQLite file {path.name} cannot be used: {problem}",
            where=str(path),
            why=f"the directory {path.parent} does not exist" if missing else None,
            remedy="create the directory"
            if missing
            else "name another file, or remove this one and let it be made anew",
        ) from problem
    close = nothing_to_close if found else guaranteed(partial(path.unlink, missing_ok=True), outlives_process=True)
    return Database(url=_url(str(path)), backend="sqlite", origin=f"file {path}", created=not found, close=close)


def file_of_worker(path: Path, run: RunIdentity, say: Callable[[str], None]) -> Database:
    """Copy the file the user named to one that a worker has for itself, or make an empty one if it is missing.

    Raises:
        DatabaseUnavailable: it is no database, or cannot be copied.
    """
    from harness.database.images import own_directory

    directory = own_directory(run, say)
    close = guaranteed(partial(shutil.rmtree, directory, ignore_errors=True), outlives_process=True)
    copy, found = directory / path.name, path.exists()
    try:
        with contextlib.closing(sqlite3.connect(copy)) as target:
            if found:
                with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source:
                    source.backup(target)
            else:
                target.execute("PRAGMA schema_version")
    except sqlite3.Error as problem:
        close()
        raise DatabaseUnavailable(
            f"the SQLite file {path.name} cannot be copied for worker {run.worker}: {problem}",
            where=str(path),
            why="each worker of pytest-xdist has a file of its own",
            remedy="name another file, or remove this one and let it be made anew",
        ) from problem
    return Database(
        url=_url(str(copy)), backend="sqlite", origin=f"file {copy}", created=True, copied=found, close=close
    )


def _temporary(name: str) -> Database:
    directory = tempfile.TemporaryDirectory(prefix="harness-")
    path = Path(directory.name) / f"{name}.db"
    return Database(
        url=_url(str(path)),
        backend="sqlite",
        origin=f"temporary file (SQLite {sqlite3.sqlite_version} cannot share one in memory)",
        created=True,
        close=guaranteed(directory.cleanup, outlives_process=True),
    )


def _url(database: str, **query: str) -> URL:
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=database, query=query)
