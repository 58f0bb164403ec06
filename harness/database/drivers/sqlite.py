"""sqlite3, used by the engines of both pysqlite and aiosqlite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing import Self

    from sqlalchemy.engine import URL


class WholeCursor(sqlite3.Cursor):
    """A cursor that reads its whole result when it executes.

    Many threads share one connection. Rows left for later would show what others have written by then. And two cursors
    share the prepared statement of one text, the second as soon as the first has reached its end, which may be a moment
    before the first resets it: a fetch in one thread could take the row away that another is about to read.
    """

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute one statement and read its rows."""
        self._rows = iter(())  # also if it fails
        super().execute(sql, parameters)
        self._rows = iter(super().fetchall() if self.description is not None else ())
        return self

    def executemany(self, sql: str, parameters: Any, /) -> Self:
        """Execute one statement for each set of parameters; rows are given up, as sqlite3 does."""
        self._rows = iter(())
        super().executemany(sql, parameters)
        return self

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next `size` rows, `arraysize` if none is given."""
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        return list(self._rows)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return next(self._rows)

    def close(self) -> None:
        """Give up the rows."""
        super().close()
        self._rows = _Closed()


class _Closed(Iterator[Any]):
    """The rows of a closed cursor: whoever asks is told, each time."""

    def __next__(self) -> Any:
        raise sqlite3.ProgrammingError("Cannot operate on a closed cursor.")


class SQLite:
    """A sqlite3 connection in which nothing begins or commits by itself.

    `isolation_level=None` switches off the driver's legacy transaction handling, under which a SAVEPOINT does not
    begin a transaction and rolled back rows stay. Foreign keys are enforced, as every other database does.
    """

    dialect = "sqlite"
    aborts_on_error = False
    transactional_ddl = True
    needs_loop = False
    cursor_options: ClassVar[dict[str, Any]] = {"factory": WholeCursor}

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.dbapi = connection
        self._open = True
        connection.execute("PRAGMA foreign_keys = ON")

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def script(self, *statements: str) -> None:
        for statement in statements:
            self.dbapi.execute(statement)

    def scalars(self, sql: str) -> list[Any]:
        return [row[0] for row in self.dbapi.execute(sql)]

    def in_transaction(self) -> bool:
        return self.dbapi.in_transaction

    def closed(self) -> bool:
        return not self._open

    def close(self) -> None:
        self._open = False
        self.dbapi.close()


def connect(url: URL) -> SQLite:
    """Open the database that `url` names."""
    dialect = url.get_dialect()()
    arguments, given = dialect.create_connect_args(url)
    options: dict[str, Any] = dict(given)
    options |= {"isolation_level": None, "check_same_thread": False}
    options.pop("autocommit", None)
    return SQLite(sqlite3.connect(arguments[0], **options))
