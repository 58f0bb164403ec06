"""psycopg2."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Psycopg2:
    """A psycopg2 connection in autocommit mode."""

    dialect = "postgresql"
    aborts_on_error = True
    transactional_ddl = True
    needs_loop = False
    cursor_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, connection: Any) -> None:
        connection.autocommit = True
        self.dbapi = connection

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def script(self, *statements: str) -> None:
        with self.dbapi.cursor() as cursor:
            cursor.execute(";".join(statements))

    def scalars(self, sql: str) -> list[Any]:
        with self.dbapi.cursor() as cursor:
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

    def in_transaction(self) -> bool:
        return self.dbapi.get_transaction_status() in (TRANSACTION_STATUS_INTRANS, TRANSACTION_STATUS_INERROR)

    def closed(self) -> bool:
        return bool(self.dbapi.closed)

    def close(self) -> None:
        self.dbapi.close()


def connect(url: URL) -> Psycopg2:
    """Open the database that `url` names; a server that does not answer is given up after 10 seconds."""
    dialect = url.get_dialect()()
    arguments, options = dialect.create_connect_args(url)
    return Psycopg2(psycopg2.connect(*arguments, **{"connect_timeout": 10, **options}))
