"""Connections, transactions and statements.

When a connection leaves its pool and comes back, SQLAlchemy tells; what happens on it meanwhile, the connection itself
tells (`harness/isolation/observer.py`). Events of engines would tell too, but an engine that has any takes a slower
way through each statement.
"""

from __future__ import annotations

import sqlite3
import sys
import weakref
from asyncio import _get_running_loop, current_task
from threading import get_ident
from typing import Any, NamedTuple, Protocol

from sqlalchemy.pool import Pool, StaticPool

from harness.callsite import coroutine_place, current_place, current_place_and_mark
from harness.clock import now
from harness.observe import private
from harness.observe.facts import Checkout, Outcome, Statement, Transaction
from harness.observe.incidents import Collision
from harness.observe.live import KEY, Live, begin, end
from harness.observe.loading import bulk_of, load_of
from harness.observe.recorder import CURRENT, Recorder
from harness.observe.staleness import look_for_stale_objects

#: How many functions of harness and SQLAlchemy, at the least, lead from the application's code to where its line is
#: looked for: the listener and its guard, and the functions of a pool or of harness's connection.
_TO_CHECKOUT, _TO_STATEMENT = 5, 4
#: How many of SQLAlchemy's functions lead from a connection's `execute` to a cursor's, as a rule.
TO_EXECUTE = 5
#: What SQLAlchemy's SQLite dialect sends for itself; it reads and writes no rows.
_SETTING = "PRAGMA"
#: Looking a member up costs more than all the rest of a comparison.
_OPEN = Outcome.OPEN


class Wire(Protocol):
    """A logical connection, as far as the listeners know it."""

    @property
    def autocommits(self) -> bool:
        """Tell whether each statement is committed at once."""


class _Pool(NamedTuple):
    """A pool, as its first connection found it; `shares` tells whether it hands out one connection many times."""

    number: int
    driver: str
    asynchronous: bool
    own: bool
    shares: bool


class Connections:
    """The listeners."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._pools: weakref.WeakKeyDictionary[Pool, _Pool] = weakref.WeakKeyDictionary()
        self._count = 0
        #: Connections that are out, by identity: the record of an asynchronous engine's is gone when one is lost.
        self._out: dict[int, Live] = {}

    # -- the pool --------------------------------------------------------------------------------------------------

    def checkout(self, dbapi_connection: Any, record: Any, fairy: Any) -> None:
        """A connection leaves its pool."""
        pool = private.pool_of(fairy)
        if pool is None:
            return
        known, request = self._pools.get(pool) or self._met(pool), CURRENT.get()
        place = current_place(_TO_CHECKOUT) if request is not None else None
        fact = Checkout(
            pool=known.number,
            driver=known.driver,
            asynchronous=known.asynchronous,
            at=now(),
            place=place,
            request=request,
            phase=request.phase if request is not None else None,
            origin=self._recorder.origin(place, known.own),
        )
        below = _shared(record, fact) if known.shares else None
        record.info[KEY] = self._out[id(dbapi_connection)] = Live(fact, below)
        if request is not None:
            request.checkouts.append(fact)
            self._recorder.tape.checkouts.append(fact)

    def _met(self, pool: Pool) -> _Pool:
        facts = self._recorder.describe(pool)
        self._count += 1
        known = _Pool(self._count, facts.driver, facts.asynchronous, facts.own, isinstance(pool, StaticPool))
        self._pools[pool] = known
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
            if (live := self._out.get(id(dbapi_connection))) is not None:
                live.returning = True
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

    def committing(self, wire: Wire) -> None:
        """Somebody commits."""
        live = self._out.get(id(wire))
        transaction = live.transaction if live is not None else None
        if live is None or transaction is None:
            return
        _blocks(live, transaction)
        if transaction.session is None:
            transaction.committing = now()
            end(transaction, Outcome.COMMITTED)

    def rolling_back(self, wire: Wire) -> None:
        """Somebody rolls back: because it was asked for, or because a connection is closed."""
        live = self._out.get(id(wire))
        transaction = live.transaction if live is not None else None
        if live is None or transaction is None or live.returning:
            return
        _blocks(live, transaction)
        if transaction.session is None and transaction.outcome is Outcome.OPEN:
            silent = bool(transaction.writes) and private.closing_core_connection()
            transaction.unwinding = sys.exc_info()[1] is not None
            end(transaction, Outcome.DISCARDED if silent else Outcome.ROLLED_BACK)

    # -- statements ------------------------------------------------------------------------------------------------

    def sending(self, wire: Wire, sql: str) -> None:
        """A statement is about to be sent."""
        live = self._out.get(id(wire))
        if live is None or live.own or sql.startswith(_SETTING):
            return
        request = CURRENT.get()
        if request is None:
            live.started = now()
            return
        place, loader = current_place_and_mark(_TO_STATEMENT, TO_EXECUTE, private.EXECUTE)
        task, blocking, fact = None, False, live.fact
        if _get_running_loop() is not None:
            task = current_task()
            blocking = not fact.asynchronous and request.ended is None
        me = id(task) if task is not None else get_ident()
        statement = Statement(sql, now(), place, request, request.phase, fact, me, blocking)
        if blocking:
            statement.holder = coroutine_place()
        if loader is not None:
            statement.loaded = load = load_of(loader, place, request)
            if load is not None:
                request.loads.append(load)
        session = live.session
        # A session that joins a connection sends its SAVEPOINT before it is known; the one before it has ended by then.
        if session is not None and session.open:
            session.touch(request, me, task, "a statement", place)
        before = live.inflight
        if before is not None and before.task != me and live.busy is not None:
            other = live.busy()
            if other is not None and not other.done():
                _collide(live, before, statement)
        live.inflight, live.busy = statement, weakref.ref(task) if task is not None else None
        transaction = live.transaction
        if transaction is None or transaction.outcome is not _OPEN:
            transaction = begin(live, request, self._recorder)
        if transaction.place is None:
            transaction.place = place
        transaction.statements.append(statement)
        fact.statements.append(statement)
        request.statements.append(statement)

    def sent(self, wire: Wire, sql: str, cursor: Any) -> None:
        """A statement has come back."""
        live = self._out.get(id(wire))
        if live is None:
            return
        tape, statement = self._recorder.tape, live.inflight
        if statement is None:
            if not live.own and not sql.startswith(_SETTING):
                tape.statements += 1
                if live.started:  # one that overlapped with another has been forgotten
                    tape.seconds += now() - live.started
                    live.started = 0.0
            return
        live.inflight = None
        tape.statements += 1
        statement.seconds = taken = now() - statement.at
        tape.seconds += taken
        if not sql.startswith("SELECT"):
            _looked_at(live, statement, wire, cursor)

    def failed(self, wire: Wire) -> None:
        """A statement has failed."""
        live = self._out.get(id(wire))
        if live is not None:
            live.inflight = None


def _autocommits(wire: Any) -> bool:
    """Tell whether a connection commits each statement; a driver's own knows it by another name than a logical one."""
    return bool(getattr(wire, "autocommits", getattr(wire, "autocommit", False) is True))


def _blocks(live: Live, transaction: Transaction) -> None:
    request = CURRENT.get()
    if request is not None and request.ended is None and not live.fact.asynchronous and _get_running_loop() is not None:
        transaction.blocking = True


def _collide(live: Live, first: Statement, second: Statement) -> None:
    if live.session is not None:
        live.session.fact.collisions.append(
            Collision(second.at, second.request, first.shape.brief, first.place, second.shape.brief, second.place)
        )


def _looked_at(live: Live, statement: Statement, wire: Wire, cursor: Any) -> None:
    """Note what a statement that is no SELECT has done."""
    shape = statement.shape
    if shape.changes_rows:
        statement.rows = _rows(cursor, statement.sql)
        statement.write = statement.rows != 0 and not _autocommits(wire)
        _prove_staleness(live, statement)
    elif shape.verb == "SAVEPOINT" and live.transaction is not None:
        live.savepoints.append((shape.text.rpartition(" ")[2], len(live.transaction.statements)))
    elif shape.verb == "ROLLBACK" and live.transaction is not None:
        _taken_back(live, live.transaction, shape.text.rpartition(" ")[2])


def _taken_back(live: Live, transaction: Transaction, savepoint: str) -> None:
    """What was done since a savepoint is taken back; the savepoint itself stays."""
    position = next((position for name, position in reversed(live.savepoints) if name == savepoint), None)
    if position is not None:
        while live.savepoints[-1][1] > position:
            live.savepoints.pop()
        for statement in transaction.statements[position:]:
            statement.undone = True


def _prove_staleness(live: Live, statement: Statement) -> None:
    connection = live.connection() if live.connection is not None else None
    bulk = bulk_of(statement) if live.session is not None and connection is not None else None
    if live.session is None or connection is None or bulk is None:
        return
    live.own = True
    try:
        look_for_stale_objects(live.session, bulk, connection, statement.sql)
    finally:
        live.own = False


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


def _rows(cursor: Any, sql: str) -> int:
    """Return how many rows were affected, -1 if that is not known."""
    rows = int(getattr(cursor, "rowcount", -1))
    if rows == 0 and isinstance(cursor, sqlite3.Cursor) and "RETURNING" in sql and "DO NOTHING" not in sql:
        return -1  # sqlite3 counts when the returned rows have been read
    return rows
