"""Who is told what happens on logical connections: nobody, unless the run is observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.isolation.proxy import ConnectionProxy


class Observer(Protocol):
    """Is told, in the thread and task of whoever causes it, and before anybody waits. It never raises.

    What harness itself does on the pinned connection, its savepoints first of all, is not told.
    """

    def sending(self, connection: ConnectionProxy, sql: str) -> None:
        """A statement is about to be sent."""

    def sent(self, connection: ConnectionProxy, sql: str, cursor: Any) -> None:
        """That statement has come back, on the driver's cursor."""

    def failed(self, connection: ConnectionProxy) -> None:
        """That statement has raised."""

    def committing(self, connection: ConnectionProxy) -> None:
        """The application, or its pool, is about to commit."""

    def rolling_back(self, connection: ConnectionProxy) -> None:
        """The application, or its pool, is about to roll back."""
