"""Time that goes on between the application's transactions, although all of them are inside one real transaction.

Each transaction of the application gets a *moment* when its first statement is sent: the server's clock then, and
always later than the moment before. Until it ends, that is what `now()` and its relatives give it:

- PostgreSQL: the moment is a setting of the session, which the functions of `timewords.py` read. A rollback takes a
  setting back, so it is known only until the next one.
- SQLite: `CURRENT_TIMESTAMP` and its relatives are functions, and may be replaced by functions of the connection.
- MySQL: the session's variable `timestamp` decides, which no rollback takes back. Its columns keep whole seconds unless
  told otherwise, so there a moment is a whole second, and at least one later than the moment before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness.clock import wall
from harness.isolation.statements import Kind, Statement
from harness.isolation.timewords import SETTING, retimed

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.isolation.ledger import Lease

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORGETS = frozenset({"RESET", "DISCARD"})
_SQLITE = {"current_timestamp": "%Y-%m-%d %H:%M:%S", "current_date": "%Y-%m-%d", "current_time": "%H:%M:%S"}


class Moments:
    """Which transaction of the application has which time.

    Attributes:
        advancing: whether transactions that begin now get moments; otherwise the server's own time holds.
        preamble: what has to be done at the beginning of each real transaction that is undone.
    """

    def __init__(self) -> None:
        self.advancing = False
        self.preamble: tuple[str, ...] = ()
        self._last = 0
        self._shown: int | None = None  # 0 for the server's own; None if it is not known
        self._told: dict[str, str] = {}
        self._equipped: Any = None

    def forget(self, on: Physical | None = None) -> None:
        """What the server was told is taken back, by a rollback or with its connection.

        Args:
            on: the real connection, if it goes on; MySQL's does not roll the time back.
        """
        if on is None or on.dialect != "mysql":
            self._shown = None

    def before(self, lease: Lease, statement: Statement, sql: Any, text: Callable[[Any], str], on: Physical) -> Any:
        """Show the server the moment of `lease`, and return the statement as it is to be sent.

        Args:
            lease: the transaction that the statement belongs to; it has its turn.
            statement: what kind it is.
            sql: the statement, as the driver takes it.
            text: returns its text.
            on: the real connection.
        """
        if on.dialect != "postgresql":
            show = self._show_sqlite if on.dialect == "sqlite" else self._show_mysql
            show(lease, on)
            return sql
        ledger = lease.level.ledger
        if ledger is None or ledger.aborted_by is not lease:
            self._show(lease, on)
        if statement.kind is Kind.ROLLBACK_TO or statement.verb in _FORGETS:
            self.forget()
        return self._retimed(sql, text(sql))

    def _show(self, lease: Lease, on: Physical) -> None:
        if self.advancing and lease.moment is None:
            now = f"greatest((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, {self._last + 1})"
            self._last = int(on.scalars(f"SELECT set_config('{SETTING}', ({now})::text, false)")[0])
            lease.moment = self._shown = self._last
        wanted = lease.moment or 0
        if self._shown != wanted:
            on.script(f"SET {SETTING} = '{wanted or ''}'")
            self._shown = wanted

    def _retimed(self, sql: Any, text: str) -> Any:
        found = self._told.get(text)
        if found is None:
            if len(self._told) > 5000:  # literal-heavy suites must not grow the process without bound
                self._told.clear()
            found = self._told[text] = retimed(text)
        return sql if found == text else found

    def _show_mysql(self, lease: Lease, on: Physical) -> None:
        if self.advancing and lease.moment is None:
            self._last = lease.moment = max(int(wall()), self._last + 1)
        wanted = lease.moment or 0
        if (self._shown or 0) != wanted:
            on.script(f"SET timestamp = {wanted or 'DEFAULT'}")
            self._shown = wanted

    # -- SQLite ------------------------------------------------------------------------------------------------------

    def _show_sqlite(self, lease: Lease, on: Physical) -> None:
        if self._equipped is not on:
            self._equip(on)
        if self.advancing and lease.moment is None:
            self._last = lease.moment = max(int(wall() * 1_000_000), self._last + 1)
        self._shown = lease.moment or 0

    def _equip(self, on: Physical) -> None:
        for name, format_ in _SQLITE.items():
            on.dbapi.create_function(name, 0, self._sqlite_function(format_))
        self._equipped = on

    def _sqlite_function(self, format_: str) -> Callable[[], str]:
        fraction = f"{format_}.%f" if "%S" in format_ else format_

        def told() -> str:
            if self._shown:
                return f"{_EPOCH + timedelta(microseconds=self._shown):{fraction}}"
            return f"{_EPOCH + timedelta(seconds=int(wall())):{format_}}"  # as SQLite itself

        return told
