"""sqlite3, used by the engines of both pysqlite and aiosqlite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class SQLite:
    """A sqlite3 connection in which nothing begins or commits by itself.

    `isolation_level=None` switches off the driver's legacy transaction handling, under which a SAVEPOINT does not
    begin a transaction and rolled back rows stay. Foreign keys are enforced, as every other database does.
    """

    aborts_on_error = False
    transactional_ddl = True
    needs_loop = False

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
