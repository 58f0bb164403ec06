"""What happens on real connections, told to the observer as logical ones tell it: by SQLAlchemy's events.

They are attached to an engine only while a test has a database of its own: an engine that has events takes a slower
path through SQLAlchemy for each statement, and `_has_events` would stay after the last one is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from harness.isolation.place import begin_before_savepoint
from harness.isolation.replica import refuse_writes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from harness.isolation.observer import Observer


class Hearing:
    """Tells of statements and ends of transactions.

    Args:
        observer: returns who is told, if anybody.
        committed: is told each commit.
    """

    def __init__(self, observer: Callable[[], Observer | None], committed: Callable[[], None]) -> None:
        self._observer = observer
        self._committed = committed
        self._listeners: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("before_cursor_execute", self._sending),
            ("after_cursor_execute", self._sent),
            ("handle_error", self._failed),
            ("commit", self._committing),
            ("rollback", self._rolling_back),
            ("savepoint", begin_before_savepoint),
        )
        self._before: dict[int, bool] = {}
        self._refusing: dict[int, Callable[..., None]] = {}

    def attach(self, engine: Engine, replica: str | None) -> None:
        """Listen to an engine; of one that reads from a replica, refuse what writes."""
        self._before[id(engine)] = "_has_events" in engine.__dict__
        for name, listener in self._listeners:
            event.listen(engine, name, listener)
        if replica is not None:
            self._refusing[id(engine)] = partial(refuse_writes, replica)
            event.listen(engine, "before_cursor_execute", self._refusing[id(engine)])

    def detach(self, engine: Engine) -> None:
        """Listen no more, and leave the engine as fast as it was."""
        for name, listener in self._listeners:
            event.remove(engine, name, listener)
        if (refusing := self._refusing.pop(id(engine), None)) is not None:
            event.remove(engine, "before_cursor_execute", refusing)
        if not self._before.pop(id(engine)):
            engine.__dict__.pop("_has_events", None)

    def _sending(self, connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        if (observer := self._observer()) is not None:
            observer.sending(_raw(connection), sql)

    def _sent(self, connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        if (observer := self._observer()) is not None:
            observer.sent(_raw(connection), sql, cursor)

    def _failed(self, context: Any) -> None:
        if (observer := self._observer()) is not None and context.connection is not None:
            observer.failed(_raw(context.connection))

    def _committing(self, connection: Connection) -> None:
        self._committed()
        if (observer := self._observer()) is not None:
            observer.committing(_raw(connection))

    def _rolling_back(self, connection: Connection) -> None:
        if (observer := self._observer()) is not None:
            observer.rolling_back(_raw(connection))


def _raw(connection: Connection) -> Any:
    """Return the DBAPI connection, as the pool's events know it."""
    return getattr(connection._dbapi_connection, "dbapi_connection", None)
