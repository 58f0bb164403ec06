"""What the pools of the application's engines hold instead of real connections.

A `ConnectionProxy` is a logical connection: to SQLAlchemy and to the application it is a DBAPI connection with
transactions of its own; underneath, all of them share the one pinned connection. Working at DBAPI level means that
every way to reach the database is covered: Session, Core, raw cursors, raw COMMIT, AUTOCOMMIT, pool resets.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from harness.callsite import nearest_user_frame
from harness.clock import now
from harness.isolation.asynchronous import (
    AwaitableMethods,
    PrivateLoopMethods,
    checkpoint,
    in_greenlet,
    run_async,
    wait_for_future,
)
from harness.isolation.complaints import outside_transaction, waited_too_long
from harness.isolation.cursor import CursorProxy, text_of
from harness.isolation.implicit import implicit_commit
from harness.isolation.ledger import Lease
from harness.isolation.pinned import Pinned
from harness.isolation.statements import Kind, Statement, classify

#: Attributes through which dialects and applications choose isolation levels. The pinned connection keeps its own.
_CHOICES = frozenset({"autocommit", "isolation_level", "read_only", "readonly", "deferrable"})
_serials = itertools.count(1)


class ConnectionProxy:
    """A DBAPI connection on the pinned one.

    Args:
        pinned: the shared connection.
        asynchronous: whether the engine is used through SQLAlchemy's asyncio extension. Each statement then is a
            point where other tasks may run, and one outside of a greenlet is refused, both as in production.
    """

    def __init__(self, pinned: Pinned, *, asynchronous: bool) -> None:
        set_ = partial(object.__setattr__, self)  # zero-argument super() is lost where `__class__` is a property
        set_("_pinned", pinned)
        set_("_physical", pinned.physical)
        set_("_asynchronous", asynchronous)
        set_("_lease", None)
        set_("_explicit", False)
        set_("_suffix", f"_h{next(_serials)}")
        set_("_closed", False)
        set_("ready", False)
        sqlite = pinned.physical.dbapi.__class__.__module__ == "sqlite3"
        set_("_sqlite", sqlite)
        set_("_quote", "`" if pinned.physical.dialect == "mysql" else '"')
        legacy = "" if sqlite else None
        set_("_choices", {"autocommit": False, "isolation_level": legacy, "read_only": None, "readonly": False})

    # -- looks like the driver's connection ------------------------------------------------------------------------

    @property  # type: ignore[misc]  # drivers' helpers check with isinstance what they are given
    def __class__(self) -> type:
        return type(self._physical.dbapi)

    def __getattr__(self, name: str) -> Any:
        if name in _CHOICES:
            if name == "autocommit" and self._physical.dialect == "mysql":  # a method there
                return self.set_autocommit
            return self._choices.get(name)
        if name in ("driver_connection", "run_async"):
            return self._driver_access(name)
        found = getattr(self._pinned.physical.dbapi, name)
        if name.startswith("create_") and self._physical.dialect == "sqlite":
            return partial(self._between_statements, found)
        return partial(self._on_its_loop, found) if self._physical.needs_loop and callable(found) else found

    def _between_statements(self, create: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Make a function, which SQLite refuses while a statement runs, and SQLAlchemy does for each connection."""
        with self._pinned.lock:
            return create(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _CHOICES:
            self._choices[name] = value
        elif name in self.__dict__:
            object.__setattr__(self, name, value)
        else:
            setattr(self._pinned.physical.dbapi, name, value)

    def _on_its_loop(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method of an asynchronous connection, which must not meet any other loop than its own."""
        with self._pinned.lock:
            return self._pinned.physical.run(method, *args, **kwargs)

    def ping(self, *_: Any) -> None:
        """Answer `pool_pre_ping` without a round trip: harness itself notices when the connection is lost."""

    def _driver_access(self, name: str) -> Any:
        """Give the driver's connection to code that insists on it, and remember where that was."""
        site = nearest_user_frame()
        if site is not None:
            self._pinned.catalogue.suspects.append(f"the driver's own connection was used at {site}")
        if not self._asynchronous:
            return self._pinned.physical.dbapi
        own = PrivateLoopMethods(self._pinned) if self._physical.needs_loop else AwaitableMethods(self)
        return own if name == "driver_connection" else partial(run_async, connection=own)

    def set_isolation_level(self, level: Any) -> None:
        """Note the isolation level that a dialect asks for (asyncpg, psycopg2 and psycopg's async variant)."""
        self._choices["isolation_level"] = level
        self._choices["autocommit"] = str(level).lower() in ("autocommit", "0")

    def set_autocommit(self, value: bool) -> None:
        """Note what psycopg's async variant asks for, and MySQL's drivers by another name."""
        self._choices["autocommit"] = value

    def get_autocommit(self) -> bool:
        """Return what was chosen, as MySQL's drivers do."""
        return bool(self._choices["autocommit"])

    @property
    def autocommits(self) -> bool:
        """Tell whether each statement is committed at once."""
        if self._explicit:
            return False
        if self._sqlite:
            return self._choices["isolation_level"] is None
        return bool(self._choices["autocommit"])

    # -- statements ------------------------------------------------------------------------------------------------

    def cursor(self, *args: Any, **kwargs: Any) -> CursorProxy:
        """Return a cursor; always a client-side one, as a server-side cursor would outlive savepoints."""
        if (first := self._pinned.on_first_use) is not None:
            first()  # before there is a cursor: the real connection may be another one afterwards
        if kwargs:
            kwargs = {key: value for key, value in kwargs.items() if key in ("row_factory", "binary", "cursor_factory")}
        return CursorProxy(self, self._pinned.physical.dbapi.cursor(**self._physical.cursor_options, **kwargs))

    def execute(self, sql: Any, *args: Any, **kwargs: Any) -> CursorProxy:
        """Execute through a new cursor, as sqlite3 and psycopg allow."""
        cursor = self.cursor()
        cursor.execute(sql, *args, **kwargs)
        return cursor

    def executemany(self, sql: Any, *args: Any) -> CursorProxy:
        """Execute through a new cursor, as sqlite3 allows."""
        cursor = self.cursor()
        cursor.executemany(sql, *args)
        return cursor

    def executescript(self, script: str) -> CursorProxy:
        """Run the statements of a script one by one: sqlite3 itself would commit first."""
        cursor = self.cursor()
        cursor.executescript(script)
        return cursor

    def run_statement(self, sql: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run one statement on the pinned connection when it is this connection's turn."""
        if (first := self._pinned.on_first_use) is not None:
            first()
        pinned = self._pinned
        statement = pinned.classify(sql) if type(sql) is str else classify(text_of(sql))
        if not statement.simple:
            if statement.kind in _CONTROL:
                return self._control(statement, sql)
            if statement.parts:
                for part in statement.parts:
                    self.run_statement(part, call)
                return None
        if self._asynchronous:
            checkpoint()
        self._take_turn()
        try:
            return self._run(statement, sql, call, *args, **kwargs)
        finally:
            pinned.lock.release()

    def _control(self, statement: Statement, sql: Any) -> None:
        if statement.kind is Kind.BEGIN:
            object.__setattr__(self, "_explicit", True)
        elif statement.kind is Kind.COMMIT:
            self.commit()
        elif statement.kind is Kind.ROLLBACK:
            self.rollback()
        elif self._pinned.level.commits:
            if statement.kind is Kind.IMPLICIT_COMMIT:
                self.commit()
                self._pinned.catalogue.changed = True
            with self._pinned.lock:
                self._pinned.outside(text_of(sql))
        elif statement.kind is Kind.IMPLICIT_COMMIT:
            raise implicit_commit(text_of(sql))
        else:
            raise outside_transaction(text_of(sql))

    def _take_turn(self) -> None:
        """Return with the lock held, and no sibling's transaction open."""
        pinned = self._pinned
        pinned.lock.acquire()
        try:
            lease = self._current_lease()
            if pinned.blocker(lease) is None:
                return
            deadline = now() + pinned.wait_seconds
            if not self._asynchronous or not in_greenlet():
                # A synchronous call on an event loop's thread must not wait: the other side runs on the same loop.
                pinned.turn(lease, can_wait=not _on_event_loop())
                return
        except BaseException:
            pinned.lock.release()
            raise
        while True:
            blocker, future = pinned.blocker(lease), pinned.waiters.future()
            pinned.lock.release()
            left = deadline - now()
            if blocker is not None and (left <= 0 or not wait_for_future(future, left)):
                raise waited_too_long(lease, blocker, pinned.wait_seconds)
            pinned.lock.acquire()
            if pinned.blocker(lease) is None:
                return

    def _current_lease(self) -> Lease:
        lease: Lease | None = self._lease
        level = self._pinned.levels[-1]
        if lease is None or lease.level is not level:
            lease = Lease(level)
            object.__setattr__(self, "_lease", lease)
        return lease

    def _run(self, statement: Statement, sql: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        pinned, lease = self._pinned, self._lease
        if not statement.simple:
            if statement.kind is Kind.SETTING and not self.ready and self._physical.aborts_on_error:
                pinned.settings[text_of(sql)] = None
            if statement.name is not None:
                sql = self._renamed(statement, sql)
                if sql is None:
                    return None
        pinned.prepare(lease, statement, sql)
        try:
            if pinned.moments is not None:
                sql = pinned.moments.before(lease, statement, sql, text_of, pinned.physical)
            if self._physical.needs_loop:
                result = pinned.physical.run(call, sql, *args, **kwargs)
            else:
                result = call(sql, *args, **kwargs)
        except Exception as error:
            pinned.raise_if_lost(error)
            if lease.level.ledger is not None:
                lease.level.ledger.failed(lease)
            if self.autocommits:
                self._rollback()
            raise
        if statement.name is not None:
            self._note(statement, lease)
        if statement.kind is not Kind.READ and self.autocommits:
            self._commit()
        return result

    # -- the application's own savepoints --------------------------------------------------------------------------

    def _renamed(self, statement: Statement, sql: Any) -> Any:
        """Give a savepoint a name of its own; every SQLAlchemy connection numbers its savepoints from one."""
        assert statement.name is not None
        ledger = self._lease.level.ledger
        own = self._own_name(statement.name)
        if ledger is not None and statement.kind is Kind.ROLLBACK_TO:
            ledger.before_rollback_to(self._lease, own)
        if ledger is not None and statement.kind is Kind.RELEASE and not ledger.may_release(self._lease, own):
            return None
        return re.sub(re.escape(statement.name), own, text_of(sql), count=1)

    def _own_name(self, name: str) -> str:
        bare = name.strip('"`[]')
        return f"{self._quote}{bare}{self._suffix}{self._quote}"

    def _note(self, statement: Statement, lease: Lease) -> None:
        ledger = lease.level.ledger
        if ledger is None or statement.name is None:
            return
        own = self._own_name(statement.name)
        if statement.kind is Kind.SAVEPOINT:
            ledger.savepoint(lease, own)
        elif statement.kind is Kind.RELEASE:
            ledger.released(lease, own)
        elif statement.kind is Kind.ROLLBACK_TO:
            ledger.rolled_back_to(lease, own)

    # -- the end of a transaction ------------------------------------------------------------------------------------

    def commit(self) -> None:
        """End the logical transaction; its work stays until the end of the test."""
        if (observer := self._pinned.observer) is not None:
            observer.committing(self)
        self._commit()

    def rollback(self) -> None:
        """Undo the logical transaction."""
        if (observer := self._pinned.observer) is not None:
            observer.rolling_back(self)
        self._rollback()

    def _commit(self) -> None:
        if self._asynchronous and self._lease is not None:
            checkpoint()
        self._end(self._pinned.commit)

    def _rollback(self) -> None:
        if self._asynchronous and self._lease is not None and in_greenlet():
            checkpoint()
        self._end(self._pinned.rollback)

    def _end(self, how: Callable[[Lease], None]) -> None:
        lease: Lease | None = self._lease
        object.__setattr__(self, "_lease", None)
        object.__setattr__(self, "_explicit", False)
        if lease is not None and not lease.level.ended and lease.level is self._pinned.level:
            how(lease)

    def close(self) -> None:
        """Give up this logical connection; the real one stays open."""
        if not self._closed:
            object.__setattr__(self, "_closed", True)
            self._end(self._pinned.rollback)

    terminate = close

    @property
    def holding(self) -> Lease | None:
        """The open transaction that has written something, if there is one."""
        lease: Lease | None = self._lease
        return lease if lease is not None and lease.segments and not lease.level.ended else None

    def __enter__(self) -> ConnectionProxy:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()


_CONTROL = frozenset({Kind.BEGIN, Kind.COMMIT, Kind.ROLLBACK, Kind.OUTSIDE, Kind.IMPLICIT_COMMIT})


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
