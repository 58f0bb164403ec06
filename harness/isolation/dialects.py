"""Dialects for engines that use another driver than the one they were made for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from harness.isolation.leniency import accept_what_servers_accept

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


def stand_in(old: Dialect, wanted: type[Dialect], *, asynchronous: bool, lenient: bool) -> Dialect:
    """Return a dialect of the test database for an engine that was made for another one.

    Args:
        old: the dialect that it was made with.
        wanted: the class of the new one.
        asynchronous: whether it is under SQLAlchemy's asyncio extension.
        lenient: whether SQLite shall take what servers take.
    """
    dialect = dialect_like(old, wanted)
    dialect.is_async = old.is_async  # AsyncEngine insists, and pools treat leaks accordingly
    if old.supports_server_side_cursors:
        let_stream(dialect)
    if asynchronous:
        dialect.get_driver_connection = driver_connection  # type: ignore[assignment,method-assign]  # our own object
    if lenient:
        accept_what_servers_accept(dialect)
    return dialect


def let_stream(dialect: Any) -> None:
    """Let a dialect stream for an application whose own dialect could; here all cursors are client-side."""

    class Context(dialect.execution_ctx_cls):  # type: ignore[misc]  # the class is known at run time only
        def create_server_side_cursor(self) -> Any:
            return self._dbapi_connection.cursor()

    dialect.supports_server_side_cursors = True
    dialect.execution_ctx_cls = Context


def driver_connection(proxy: Any) -> Any:
    """Give code that awaits the driver's own methods something that can be awaited."""
    return proxy.driver_connection


def driver_name(dialect: Dialect) -> str:
    """SQLAlchemy calls psycopg's two dialects by one driver name."""
    return f"{dialect.driver}_async" if dialect.driver == "psycopg" and dialect.is_async else dialect.driver


#: Arguments of `create_engine` that belong to a dialect and shape values, so they are kept on another dialect too.
_CARRIED = ("json_serializer", "json_deserializer")


def dialect_like(old: Dialect, wanted: type[Dialect]) -> Dialect:
    """Return a dialect of another class with those settings of `old` that shape values."""
    accepted: set[str] = set()
    for cls in wanted.__mro__:
        if "__init__" in cls.__dict__:
            accepted.update(inspect.signature(cls.__init__).parameters)  # type: ignore[misc]  # only its names
    carried = {}
    for name in _CARRIED:
        value = getattr(old, name, None) or getattr(old, f"_{name}", None)
        if value is not None and name in accepted:
            carried[name] = value
    make: Any = wanted  # the constructor's arguments are those of the DefaultDialect that every dialect extends
    return make(dbapi=make.import_dbapi(), **carried)  # type: ignore[no-any-return]  # a Dialect
