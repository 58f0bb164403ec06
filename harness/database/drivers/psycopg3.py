"""psycopg 3, used by the engines of both psycopg and its asynchronous variant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Psycopg:
    """A psycopg connection in autocommit mode."""

    dialect = "postgresql"
    aborts_on_error = True
    transactional_ddl = True
    needs_loop = False
    cursor_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.dbapi = connection

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def script(self, *statements: str) -> None:
        # Straight to libpq: a cursor would cost as much time again as the round trip.
        result = self.dbapi.pgconn.exec_(";".join(statements).encode())
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)

    def scalars(self, sql: str) -> list[Any]:
        return [row[0] for row in self.dbapi.execute(sql)]

    def in_transaction(self) -> bool:
        return self.dbapi.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def closed(self) -> bool:
        return self.dbapi.closed

    def close(self) -> None:
        self.dbapi.close()


def connect(url: URL) -> Psycopg:
    """Open the database that `url` names; a server that does not answer is given up after 10 seconds."""
    dialect = url.get_dialect()()
    arguments, options = dialect.create_connect_args(url)
    return Psycopg(psycopg.connect(*arguments, **{"connect_timeout": 10, **options, "autocommit": True}))
