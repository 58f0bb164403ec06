"""A cursor of a logical connection: the driver's own, but for its statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.isolation.proxy import ConnectionProxy


class CursorProxy:
    """A DBAPI cursor whose statements wait for their turn; everything else is the driver's own cursor."""

    __slots__ = ("_connection", "_raw")

    def __init__(self, connection: ConnectionProxy, raw: Any) -> None:
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_raw", raw)

    def execute(self, sql: Any, *args: Any, **kwargs: Any) -> CursorProxy:
        """Execute one statement."""
        self._send(sql, self._raw.execute, *args, **kwargs)
        return self

    def executemany(self, sql: Any, *args: Any, **kwargs: Any) -> CursorProxy:
        """Execute one statement with many sets of parameters."""
        self._send(sql, self._raw.executemany, *args, **kwargs)
        return self

    def _send(self, sql: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run one statement, and tell whoever wants to know."""
        connection = self._connection
        observer = connection._pinned.observer
        if observer is None:
            return connection.run_statement(sql, call, *args, **kwargs)
        text = sql if type(sql) is str else text_of(sql)
        observer.sending(connection, text)
        try:
            result = connection.run_statement(sql, call, *args, **kwargs)
        except BaseException:
            observer.failed(connection)
            raise
        observer.sent(connection, text, self._raw)
        return result

    def executescript(self, script: str) -> CursorProxy:
        """Run the statements of a script one by one: sqlite3 itself would commit first."""
        import sqlite3

        buffer = ""
        for piece in re.split(r"(?<=;)", script):
            buffer += piece
            if sqlite3.complete_statement(buffer) and buffer.strip():
                self.execute(buffer.strip().rstrip(";"))
                buffer = ""
        if buffer.strip():
            self.execute(buffer.strip())
        return self

    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        """Start psycopg's COPY; it is a write like any other."""
        return self._send(text_of(statement), lambda _: self._raw.copy(statement, *args, **kwargs))

    def stream(self, sql: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Execute and iterate over the rows."""
        self.execute(sql, *args)
        return iter(self._raw)

    async def _async_soft_close(self) -> None:
        """Do nothing: SQLAlchemy's asyncio extension asks its drivers' cursors to let go of the server; ours has."""

    @property
    def connection(self) -> ConnectionProxy:
        """The logical connection, never the real one."""
        connection: ConnectionProxy = self._connection
        return connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._raw, name, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._raw)

    def __enter__(self) -> CursorProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def text_of(sql: Any) -> str:
    """Return the text of a statement, in whatever form a driver accepts it."""
    if isinstance(sql, bytes):
        return sql.decode()
    return sql if isinstance(sql, str) else getattr(sql, "as_string", lambda _: "?")(None)
