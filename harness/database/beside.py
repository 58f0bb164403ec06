"""The user's own server: the database that was given, or others beside it where several processes need one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from harness.database.existing import existing
from harness.database.service import Service, catalogs_of, database_on
from harness.database.urls import shown, without_driver
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL

    from harness.database.drivers import Physical
    from harness.database.handle import Database
    from harness.database.identity import RunIdentity

_CONTENTS = {
    "postgresql": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        UNION ALL SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        UNION ALL SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
        UNION ALL SELECT nspname FROM pg_namespace
         WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')""",
    "mysql": """
        SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
        UNION ALL SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()""",
}


class Given:
    """A database that the user gave by its URL.

    Args:
        url: where it is.
        allowed: a pattern of URLs that may be used though they do not look like a test database.
        run: the owner of what is made beside it.
        say: receives what is going on.
        tables: whether harness makes the tables, so that an empty database will do.
    """

    def __init__(
        self, url: URL, allowed: str | None, run: RunIdentity, say: Callable[[str], None], *, tables: bool
    ) -> None:
        self._url, self._allowed, self._run, self._say, self._tables = url, allowed, run, say, tables
        #: Connected while the run lasts, so that others see that it lives, and what it uses.
        self._catalogs = catalogs_of(url, run)

    def start(self) -> Database:
        """Return the database itself; one beside it in a worker, or if another run of harness uses it.

        Raises:
            DatabaseUnavailable: it does not answer, or another run uses it and an empty one will not do.
        """
        database = existing(self._url, self._allowed)
        if self._run.worker:
            return database_on(self.serve(), self._run, self._say)
        self._catalogs.sweep(self._say)
        if not self._catalogs.claim(str(database.url.database), shared=False):
            self._check_empty_will_do()
            self._say(f"another run uses {database.url.database}, so this one makes a database beside it")
            return database_on(self._service(), self._run, self._say)
        return _closing(database, self._catalogs.close)

    def serve(self) -> Service:
        """Return the server, to make databases on that are copies of this one.

        Raises:
            DatabaseUnavailable: it does not answer, or the database cannot be copied and an empty one will not do.
        """
        database = existing(self._url, self._allowed)
        self._catalogs.sweep(self._say)
        if not self._catalogs.claim(str(database.url.database), shared=True):
            self._check_empty_will_do()
            return self._service()
        if self._is_empty():
            return self._service()
        source = self._catalogs.name("source")
        self._catalogs.create(source, str(database.url.database))
        return self._service(source)

    def _service(self, copied: str | None = None) -> Service:
        return Service(
            url=without_driver(self._url),
            backend=existing_backend(self._url),
            origin=f"beside {shown(without_driver(self._url))}",
            copied=copied,
            lasting=True,
            close=self._end,
        )

    def _end(self) -> None:
        if self._run.worker:
            self._catalogs.drop_all()
        self._catalogs.close()

    def _is_empty(self) -> bool:
        with closing(self._connected()) as physical:
            return not physical.scalars(_CONTENTS[existing_backend(self._url)])

    def _connected(self) -> Physical:
        from harness.database.drivers.choice import drivers_for

        backend = existing_backend(self._url)
        driver = drivers_for(backend, ())
        return driver.connect(self._url.set(drivername=f"{backend}+{driver.name}"))

    def _check_empty_will_do(self) -> None:
        if not self._tables:
            raise DatabaseUnavailable(
                f"another run of harness uses the database {self._url.database!r} at this moment",
                where=shown(self._url),
                why="its tests may change what is in there, so it can be neither used nor copied meanwhile",
                remedy="wait for the other run, or give each run a database of its own",
            )


def existing_backend(url: URL) -> str:
    """Return SQLAlchemy's name of the database, whatever the URL calls it."""
    from harness.database.drivers.choice import family

    return family(url.get_backend_name())


def _closing(database: Database, close: Callable[[], None]) -> Database:
    from dataclasses import replace

    return replace(database, close=close)
