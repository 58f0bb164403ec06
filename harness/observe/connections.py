"""Connections, transactions and statements: public events of every pool and engine of the process."""

from __future__ import annotations

import asyncio
import sys
import weakref
from asyncio import _get_running_loop
from threading import get_ident
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.pool import Pool, StaticPool

from harness.callsite import coroutine_place, current_place
from harness.clock import now
from harness.observe import private
from harness.observe.facts import Checkout, Outcome, Phase, Statement, Transaction
from harness.observe.incidents import Collision
from harness.observe.recorder import CURRENT, Recorder
from harness.observe.sessions import SessionState
from harness.observe.sql import shape
from harness.observe.staleness import look_for_stale_objects

KEY = "harness"
#: How many functions of harness and SQLAlchemy, at the least, lead from the application's code to where its line is
#: looked for: the listener and its guard, SQLAlchemy's dispatch, and the functions of a pool or a connection.
_TO_CHECKOUT, _TO_STATEMENT, _TO_END = 5, 6, 4


class Live:
    """What is known about a connection while it is out of its pool."""

    __slots__ = (
        *("below", "busy", "fact", "fresh", "inflight", "own", "savepoints", "session", "started", "transaction"),
    )

    def __init__(self, fact: Checkout, below: Live | None) -> None:
        self.fact = fact
        #: The earlier checkout of the same connection, which a StaticPool hands out any number of times at once.
        self.below = below
        self.session: SessionState | None = None
        #: The transaction to which statements belong now.
        self.transaction: Transaction | None = None
        #: Whether that transaction has begun and nothing has happened in it yet.
        self.fresh = False
        self.savepoints: list[tuple[str, int]] = []
        #: The statement under way, and the task that waits for it.
        self.inflight: Statement | None = None
        self.busy: weakref.ref[Any] | None = None
        #: When a statement outside of any request was sent.
        self.started = 0.0
        #: Whether harness itself is using the connection, to read what the application should have read.
        self.own = False


class Connections:
    """The listeners."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._pools: weakref.WeakKeyDictionary[Pool, tuple[int, str, bool, bool]] = weakref.WeakKeyDictionary()
        self._count = 0
        #: Connections of an asynchronous engine that are out, by identity: their records are gone when they are lost.
        self._out: dict[int, Live] = {}

    # -- the pool --------------------------------------------------------------------------------------------------

    def checkout(self, dbapi_connection: Any, record: Any, fairy: Any) -> None:
        """A connection leaves its pool."""
        known = self._pool(private.pool_of(fairy))
        if known is None:
            return
        number, driver, asynchronous, own = known
        request = CURRENT.get()
        place = current_place(_TO_CHECKOUT) if request is not None else None
        fact = Checkout(
            pool=number,
            driver=driver,
            asynchronous=asynchronous,
            at=now(),
            place=place,
            request=request,
            phase=request.phase if request is not None else None,
            origin=self._recorder.origin(place, own),
        )
        below = _shared(record, fact) if isinstance(private.pool_of(fairy), StaticPool) else None
        record.info[KEY] = self._out[id(dbapi_connection)] = Live(fact, below)
        if request is not None:
            request.checkouts.append(fact)
            self._recorder.tape.checkouts.append(fact)

    def _pool(self, pool: Any) -> tuple[int, str, bool, bool] | None:
        if pool is None:
            return None
        known = self._pools.get(pool)
        if known is None:
            self._count += 1
            facts = self._recorder.describe(pool)
            known = self._pools[pool] = (self._count, facts.driver, facts.asynchronous, facts.own)
        return known

    def checkin(self, dbapi_connection: Any, record: Any) -> None:
        """A connection is back in its pool."""
        live: Live | None = record.info.pop(KEY, None)
        self._out.pop(id(dbapi_connection), None)
        if live is not None:
            if live.below is not None:
                record.info[KEY] = self._out[id(dbapi_connection)] = live.below
            live.fact.returned = now()
            if live.fact.request is not None and private.returned_by_collection():
                live.fact.collected = True
            self._close(live)

    def reset(self, dbapi_connection: Any, record: Any, state: Any) -> None:
        """A connection is cleaned before it goes back; one of an asynchronous engine that was lost cannot be."""
        if state.asyncio_safe:
            return
        live = self._out.pop(id(dbapi_connection), None)
        if live is not None:
            live.fact.returned = now()
            live.fact.collected = True
            self._close(live)

    def invalidate(self, dbapi_connection: Any, record: Any, error: Any) -> None:
        """A connection is given up."""
        live = record.info.pop(KEY, None) if record is not None else self._out.get(id(dbapi_connection))
        self._out.pop(id(dbapi_connection), None)
        if live is not None and live.fact.returned is None:
            live.fact.returned = now()
            self._close(live)

    def _close(self, live: Live) -> None:
        transaction = live.transaction
        # A session tells itself how its transaction ends, a moment later; one that is gone cannot.
        if transaction is not None and (transaction.session is None or live.fact.collected):
            end(transaction, Outcome.DISCARDED)
        live.transaction = live.inflight = live.session = None

    # -- transactions of a connection ------------------------------------------------------------------------------

    def begin(self, conn: Connection) -> None:
        """A transaction begins."""
        live: Live | None = conn.info.get(KEY)
        if live is None:
            return
        request = CURRENT.get()
        live.transaction = transaction = Transaction(
            checkout=live.fact,
            began=now(),
            place=None,
            request=request,
            phase=request.phase if request is not None else None,
        )
        live.fresh = True
        live.fact.transactions.append(transaction)
        if request is not None:
            self._recorder.tape.transactions.append(transaction)

    def commit(self, conn: Connection) -> None:
        """A transaction is committed."""
        live: Live | None = conn.info.get(KEY)
        if live is None or live.transaction is None:
            return
        self._blocks(live, conn)
        if live.transaction.session is None:
            live.transaction.committing = now()
            end(live.transaction, Outcome.COMMITTED)

    def rollback(self, conn: Connection) -> None:
        """A transaction is rolled back: because somebody asked for it, or because its connection was closed."""
        live: Live | None = conn.info.get(KEY)
        if live is None or live.transaction is None:
            return
        self._blocks(live, conn)
        if live.transaction.session is None and live.transaction.outcome is Outcome.OPEN:
            silent = bool(live.transaction.writes) and private.closing_core_connection()
            live.transaction.unwinding = sys.exc_info()[1] is not None
            end(live.transaction, Outcome.DISCARDED if silent else Outcome.ROLLED_BACK)

    def _blocks(self, live: Live, conn: Connection) -> None:
        request = CURRENT.get()
        if (
            request is not None
            and request.ended is None
            and not live.fact.asynchronous
            and _get_running_loop() is not None
            and live.transaction is not None
        ):
            live.transaction.blocking = True

    def savepoint(self, conn: Connection, name: str) -> None:
        """A savepoint is set."""
        live: Live | None = conn.info.get(KEY)
        if live is not None and live.transaction is not None:
            live.savepoints.append((name, len(live.transaction.statements)))

    def rollback_savepoint(self, conn: Connection, name: str, context: Any) -> None:
        """What was done since a savepoint is taken back."""
        live: Live | None = conn.info.get(KEY)
        if live is None or live.transaction is None:
            return
        while live.savepoints:
            known, position = live.savepoints.pop()
            if known == name:
                for statement in live.transaction.statements[position:]:
                    statement.undone = True
                return

    # -- statements ------------------------------------------------------------------------------------------------

    def before(self, conn: Connection, cursor: Any, sql: str, parameters: Any, context: Any, many: bool) -> None:
        """A statement is about to be sent."""
        live: Live | None = conn.info.get(KEY)
        if live is None or live.own:
            return
        request = CURRENT.get()
        if request is None:
            live.started = now()
            return
        place, task, blocking, fact = current_place(_TO_STATEMENT), None, False, live.fact
        if _get_running_loop() is not None:
            task = asyncio.current_task()
            blocking = not fact.asynchronous and request.ended is None
        me = id(task) if task is not None else get_ident()
        statement = Statement(sql, now(), place, request, request.phase, fact, me, blocking)
        if blocking:
            statement.holder = coroutine_place()
        session = live.session
        if session is not None:
            statement.loaded, session.load = session.load, None
            session.touch(request, me, task, "a statement", place)
        before = live.inflight
        if before is not None and before.task != me and live.busy is not None:
            other = live.busy()
            if other is not None and not other.done():
                self._collide(live, before, statement)
        live.inflight, live.busy = statement, weakref.ref(task) if task is not None else None
        transaction = live.transaction
        if transaction is not None:
            live.fresh = False
            if transaction.place is None:
                transaction.place = place
            transaction.statements.append(statement)
        fact.statements.append(statement)
        request.statements.append(statement)

    def _collide(self, live: Live, first: Statement, second: Statement) -> None:
        if live.session is not None:
            live.session.fact.collisions.append(
                Collision(second.at, second.request, first.shape.brief, first.place, second.shape.brief, second.place)
            )

    def after(self, conn: Connection, cursor: Any, sql: str, parameters: Any, context: Any, many: bool) -> None:
        """A statement has come back."""
        live: Live | None = conn.info.get(KEY)
        if live is None or live.own:
            return
        tape = self._recorder.tape
        tape.statements += 1
        statement = live.inflight
        if statement is None:
            if live.started:  # one that overlapped with another has been forgotten
                tape.seconds += now() - live.started
                live.started = 0.0
            return
        live.inflight = None
        statement.seconds = now() - statement.at
        tape.seconds += statement.seconds
        if not sql.startswith("SELECT") and (_changes_rows(context) or shape(sql).changes_rows):
            statement.rows = _rows(conn, cursor, sql)
            statement.write = statement.rows != 0 and not private.autocommits(conn)
            if live.session is not None and live.session.bulk is not None:
                self._prove_staleness(live, live.session, conn, sql)

    def _prove_staleness(self, live: Live, session: SessionState, conn: Connection, sql: str) -> None:
        bulk, session.bulk = session.bulk, None
        assert bulk is not None
        live.own = True
        try:
            look_for_stale_objects(session, bulk, conn, sql)
        finally:
            live.own = False

    def failed(self, context: Any) -> None:
        """A statement has failed."""
        if context.connection is None:
            return
        live: Live | None = context.connection.info.get(KEY)
        if live is not None:
            live.inflight = None


def _shared(record: Any, fact: Checkout) -> Live | None:
    """Return the earlier checkout of a connection that a StaticPool hands out again.

    Such a pool hears of one return only, whichever comes first, and nobody ever waits for it: from now on the earlier
    checkout is not the one that holds the connection.
    """
    below: Live | None = record.info.get(KEY)
    if below is None or below.fact.request is None or below.fact.request.ended is not None:
        return None
    below.fact.returned = fact.at
    return below


def end(transaction: Transaction, outcome: Outcome) -> None:
    """Note how a transaction ended, unless that is known already."""
    if transaction.outcome is not Outcome.OPEN:
        return
    request = CURRENT.get()
    transaction.outcome = outcome
    transaction.ended = now()
    transaction.ended_in = request
    transaction.ended_phase = request.phase if request is not None else None
    if request is not None and request.ended is None and request.phase is not Phase.SERIALIZATION:
        transaction.end_place = current_place(_TO_END)


def _changes_rows(context: Any) -> bool:
    return context is not None and bool(context.isinsert or context.isupdate or context.isdelete)


def _rows(conn: Connection, cursor: Any, sql: str) -> int:
    """Return how many rows were affected, -1 if that is not known."""
    rows = int(getattr(cursor, "rowcount", -1))
    if rows == 0 and conn.dialect.name == "sqlite" and "RETURNING" in sql and "DO NOTHING" not in sql:
        return -1  # sqlite3 counts when the returned rows have been read
    return rows
