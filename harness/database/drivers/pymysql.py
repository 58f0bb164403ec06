"""PyMySQL, used by the engines of PyMySQL, mysqlclient, aiomysql and asyncmy: all of them convert values alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import pymysql
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class PyMySQL:
    """A PyMySQL connection in autocommit mode."""

    dialect = "mysql"
    aborts_on_error = False
    transactional_ddl = False
    needs_loop = False
    cursor_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, connection: Any) -> None:
        connection.autocommit(True)
        self.dbapi = connection

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def script(self, *statements: str) -> None:
        # One by one: a connection that accepts several in one string would accept an application's too.
        with self.dbapi.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def scalars(self, sql: str) -> list[Any]:
        with self.dbapi.cursor() as cursor:
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

    def in_transaction(self) -> bool:
        return bool(self.dbapi.server_status & SERVER_STATUS_IN_TRANS)

    def closed(self) -> bool:
        return not self.dbapi.open

    def close(self) -> None:
        if self.dbapi.open:
            self.dbapi.close()


def connect(url: URL) -> PyMySQL:
    """Open the database that `url` names; a server that does not answer is given up after 10 seconds."""
    dialect = url.get_dialect()()
    arguments, options = dialect.create_connect_args(url)
    given: dict[str, Any] = {"connect_timeout": 10, "charset": "utf8mb4", **options}
    return PyMySQL(pymysql.connect(*arguments, **given))
