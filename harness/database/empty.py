"""Databases with nothing in them, one for each test that begins before the first migration."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING

from harness.database.catalogs import Catalogs
from harness.database.cleanup import guaranteed
from harness.database.clones import Clone, Clones
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

    from harness.database.identity import RunIdentity

#: How long a migration waits for a lock that the test itself may hold; without it, it would wait for ever.
_LOCK_TIMEOUT = "10s"


def empty_databases(backend: str, url: URL, run: RunIdentity, say: Callable[[str], None]) -> Clones:
    """Return where empty databases come from.

    Args:
        backend: SQLAlchemy's name of the kind.
        url: the run's database; on a server, they are made beside it.
        run: the owner.
        say: receives what was swept.

    Raises:
        DatabaseUnavailable: there are none on this kind of server.
    """
    if backend == "sqlite":
        from harness.database.images import ImageClones

        return ImageClones({"main": b""}, run, lambda: 0, say)  # a file without content is an empty database
    if backend == "postgresql":
        return EmptyDatabases(url, run, say)
    raise DatabaseUnavailable(
        f"tests of migrations are not available on {backend}",
        why="each needs an empty database of its own, which harness makes on SQLite and PostgreSQL only",
        remedy="run them there: --harness-database=postgres, or --harness-database=sqlite",
    )


class EmptyDatabases:
    """Empty databases on a PostgreSQL server.

    Args:
        url: a database on the server.
        run: the owner.
        say: receives what was swept, and what could not be dropped.
    """

    def __init__(self, url: URL, run: RunIdentity, say: Callable[[str], None]) -> None:
        self._url, self._run, self._say = url, run, say
        self._catalogs = Catalogs(url, run)
        self._numbers = itertools.count(1)
        self._there: set[str] = set()
        self._close = guaranteed(self._drop_all, outlives_process=True)
        self._catalogs.sweep(say)

    def acquire(self) -> Clone:
        """Return a new one.

        Raises:
            DatabaseUnavailable: the server refuses to make it.
        """
        name = self._catalogs.name(f"empty{next(self._numbers)}")
        self._there.add(name)
        self._catalogs.create(name)
        self._catalogs.let_wait(name, _LOCK_TIMEOUT)
        return Clone(url=self._catalogs.url_of(name), name=name)

    def release(self, clone: Clone) -> None:
        """Drop one, unless it is to be kept."""
        if clone.name not in self._there:
            return
        try:
            self._catalogs.drop(clone.name)
        except Exception as problem:  # noqa: BLE001 - told; the end of the run tries again
            self._say(f"the database {clone.name} could not be dropped yet: {' '.join(str(problem).split())}")
        else:
            self._there.discard(clone.name)

    def keep(self, clone: Clone, directory: Path, name: str) -> Clone:
        """Let one outlive the run, on its server."""
        self._catalogs.keep(clone.name)
        self._there.discard(clone.name)
        return clone

    def abandon(self) -> None:
        """Forget all of them: their server is gone."""
        self._there.clear()
        self.close()

    def close(self) -> None:
        """Drop what is left; safe to call twice."""
        self._close()
        self._catalogs.close()

    def _drop_all(self) -> None:
        if not self._there:
            return
        # A connection of its own: this may run in a signal handler, in the middle of another statement.
        with closing(Catalogs(self._url, self._run)) as catalogs:
            try:
                for name in sorted(self._there):
                    catalogs.drop(name)
            except Exception as problem:  # noqa: BLE001 - the server may be gone, and the next run sweeps what is left
                self._say(f"databases of this run may be left on the server: {' '.join(str(problem).split())}")
        self._there.clear()
