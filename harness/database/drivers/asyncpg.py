"""asyncpg, with its connection on a private event loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import asyncpg

from harness.database.drivers.loop import PrivateLoop

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Asyncpg:
    """SQLAlchemy's adapter around an asyncpg connection, told never to begin a transaction by itself."""

    dialect = "postgresql"
    aborts_on_error = True
    transactional_ddl = True
    needs_loop = True
    cursor_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, loop: PrivateLoop, adapted: Any) -> None:
        self.dbapi = adapted
        self._loop = loop
        self._connection: asyncpg.Connection = adapted.driver_connection
        adapted.autocommit = True

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._loop.call(function, *args, **kwargs)

    def script(self, *statements: str) -> None:
        try:
            self._loop.complete(self._connection.execute(";".join(statements)))
        except Exception as error:  # noqa: BLE001 - the adapter raises it again as the DBAPI's own class
            self.dbapi._handle_exception(error)

    def scalars(self, sql: str) -> list[Any]:
        return [row[0] for row in self._loop.complete(self._connection.fetch(sql))]

    def in_transaction(self) -> bool:
        return bool(self._connection.is_in_transaction())

    def closed(self) -> bool:
        return bool(self._connection.is_closed())

    def close(self) -> None:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            self._loop.complete(self._connection.close(timeout=2))
        self._loop.close()


def connect(url: URL) -> Asyncpg:
    """Open the database that `url` names; a server that does not answer is given up after 10 seconds."""
    dialect_class: Any = url.get_dialect()
    dialect = dialect_class(dbapi=dialect_class.import_dbapi())
    arguments, options = dialect.create_connect_args(url)
    loop = PrivateLoop()
    try:
        adapted = loop.call(dialect.connect, *arguments, **{"timeout": 10, **options})
    except BaseException:
        loop.close()
        raise
    return Asyncpg(loop, adapted)
