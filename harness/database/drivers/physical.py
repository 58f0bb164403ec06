"""What isolation needs of a real connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol


class Physical(Protocol):
    """One open DBAPI connection in autocommit mode: transaction control is sent as SQL, never by the driver."""

    #: The SQL that the server speaks: SQLAlchemy's name of the database.
    dialect: ClassVar[str]
    #: Whether an error makes the server refuse everything until a rollback (PostgreSQL does).
    aborts_on_error: ClassVar[bool]
    #: Whether DDL takes part in transactions.
    transactional_ddl: ClassVar[bool]
    #: Whether calls have to go through `run`, because the driver is asynchronous.
    needs_loop: ClassVar[bool]
    #: What a cursor that the application uses is made with.
    cursor_options: ClassVar[dict[str, Any]]

    @property
    def dbapi(self) -> Any:
        """The DBAPI connection, as the SQLAlchemy dialect of the same driver expects it."""

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, which uses the DBAPI connection, and return its result."""

    def script(self, *statements: str) -> None:
        """Execute control statements, in one round trip where the protocol allows it."""

    def scalars(self, sql: str) -> list[Any]:
        """Return the first column of all rows of a query."""

    def in_transaction(self) -> bool:
        """Tell whether the connection is inside a transaction, without asking the server."""

    def closed(self) -> bool:
        """Tell whether the connection is lost."""

    def close(self) -> None:
        """Close the connection; safe to call twice."""
