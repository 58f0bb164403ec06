"""Statements as a budget counts them: who sent each, from which line, and what for.

The listeners are attached when the first budget of a run asks for them, so that a run without budgets pays nothing.
From then on they stay until the run ends, and do nothing while nobody counts: to take a listener away while a thread of
the application is on its way through the list of listeners would break that thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from harness.callsite import CallSite, Place, current_place
from harness.clock import now
from harness.observe.facts import Request, site
from harness.observe.recorder import ASIDE, CURRENT, OWN, PoolFacts, Recorder
from harness.observe.sql import Shape, shape

_LOAD = "harness_load"
_KEY = "harness_queries"
#: Who sent a statement that belongs to no request.
TEST, OUTSIDE = "the test itself", "outside of requests"
#: These say where a transaction, or a part of one, begins and ends; a budget is about what is done in it.
_CONTROL = frozenset({"SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "START", "ABORT", "END"})


@dataclass(slots=True, eq=False, repr=False)
class Query:
    """One statement that was sent; `executemany` sends one, whatever the number of its rows.

    Attributes:
        sql: as it was handed to the driver, with the driver's placeholders.
        connection: tells connections apart: two statements have the same number if one connection sent both.
        driver: of the engine, as the application made it, such as `postgresql+asyncpg`.
        load: `lazy load of User.orders`, or `reload of User` where columns are read anew or late; empty otherwise.
        many: whether it was an `executemany`.
        seconds: how long it took; None if it failed or is under way.
        rows: how many rows it affected, or returned where the driver tells that; None if it does not.
    """

    sql: str
    connection: int
    driver: str
    load: str
    many: bool
    seconds: float | None
    rows: int | None
    _at: float
    _place: Place | None
    _request: Request | None
    _own: bool
    _dialect: str
    _style: str
    _values: Any

    @property
    def verb(self) -> str:
        """`SELECT`, `INSERT`, …"""
        return self.shape.verb

    @property
    def table(self) -> str:
        """The first table that it names; empty if it names none."""
        return self.shape.table

    @property
    def shape(self) -> Shape:
        """Its verb, table and text without literals."""
        return shape(self.sql)

    @property
    def lazy(self) -> bool:
        """Whether it loads a relationship that was not loaded with its object."""
        return self.load.startswith("lazy")

    @property
    def site(self) -> CallSite | None:
        """The line of the project's code that led to it; None if there is none, as in a lazy load of a serializer."""
        return site(self._place)

    @property
    def request(self) -> str | None:
        """The request that sent it, as `GET /users/{id}`; None if none did."""
        return name_of(self._request) if self._request is not None else None

    @property
    def sender(self) -> str:
        """The request, or else `the test itself` (its own sessions and engines) or `outside of requests`."""
        return self.request or (TEST if self._own else OUTSIDE)

    def __repr__(self) -> str:
        return f"<Query {self.shape.brief}: {self.sender}>"


def name_of(request: Request) -> str:
    """Return `GET /users/{id}`; the path where the route is not known (yet)."""
    return f"{request.method} {request.route or request.path}"


@dataclass(slots=True, eq=False)
class Counter:
    """What was sent, and which requests began, since it was opened."""

    queries: list[Query] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


class Counting:
    """The listeners.

    Args:
        recorder: tells whose a connection is, and takes note of a listener that fails.
        values: whether the statements' parameters are kept.
    """

    def __init__(self, recorder: Recorder, *, values: bool = False) -> None:
        self._recorder = recorder
        self._values = values
        # Replaced, never changed: threads go through it while another one opens or closes a counter.
        self._counters: tuple[Counter, ...] = ()
        self._underway: dict[int, Query] = {}
        self._numbers = count(1)
        self._pools: WeakKeyDictionary[Any, PoolFacts] = WeakKeyDictionary()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listen to every engine and session of the process until the context ends."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from sqlalchemy.orm import Session

        listeners: tuple[tuple[type[Any], str, Any], ...] = (
            (Engine, "before_cursor_execute", self._before),
            (Engine, "after_cursor_execute", self._after),
            (Engine, "handle_error", self._failed),
            (Session, "do_orm_execute", self._executing),
        )
        with ExitStack() as stack:
            for target, name, listener in listeners:
                guarded = self._recorder.guarded(listener)
                event.listen(target, name, guarded)
                stack.callback(event.remove, target, name, guarded)
            self._recorder.request_began = self._began
            stack.callback(setattr, self._recorder, "request_began", None)
            yield

    def open(self) -> Counter:
        """Count from now on, in every thread and task of the process."""
        counter = Counter()
        self._counters = (*self._counters, counter)
        return counter

    def close(self, counter: Counter) -> None:
        """Count no longer."""
        self._counters = tuple(one for one in self._counters if one is not counter)

    @property
    def broken(self) -> bool:
        """Tell whether a listener has failed, so that what was counted may be less than what was sent."""
        return any(one.listener.startswith("Counting.") for one in self._recorder.disabled)

    # -- listeners -------------------------------------------------------------------------------------------------

    def _began(self, request: Request) -> None:
        for counter in self._counters:
            counter.requests.append(request)

    def _before(self, conn: Any, cursor: Any, sql: str, parameters: Any, context: Any, many: bool) -> None:
        if not self._counters or ASIDE.get() or shape(sql).verb in _CONTROL:
            return
        options = context.execution_options if context is not None else {}
        if options.get(OWN):
            return
        facts = self._facts(conn.engine.pool)
        query = Query(
            sql=sql,
            connection=conn.info.get(_KEY) or self._number(conn.info),
            driver=facts.driver,
            load=options.get(_LOAD, ""),
            # A batch of rows that is one INSERT has the parameters of one statement, not a list of them.
            many=many and isinstance(parameters, list),
            seconds=None,
            rows=None,
            _at=now(),
            _place=current_place(),
            _request=CURRENT.get(),
            _own=facts.own,
            _dialect=conn.dialect.name,
            _style=conn.dialect.paramstyle,
            _values=_first(parameters) if self._values else None,
        )
        for counter in self._counters:
            counter.queries.append(query)
        self._underway[id(cursor)] = query

    def _facts(self, pool: Any) -> PoolFacts:
        known = self._pools.get(pool)
        if known is None:
            known = self._pools[pool] = self._recorder.describe(pool)
        return known

    def _number(self, info: dict[Any, Any]) -> int:
        info[_KEY] = next(self._numbers)
        return int(info[_KEY])

    def _after(self, conn: Any, cursor: Any, sql: str, parameters: Any, context: Any, many: bool) -> None:
        query = self._underway.pop(id(cursor), None)
        if query is not None:
            query.seconds = now() - query._at
            rows = getattr(cursor, "rowcount", -1)
            # sqlite3 counts returned rows only when they have been read.
            unknown = not isinstance(rows, int) or rows < 0 or (rows == 0 and "RETURNING" in sql)
            query.rows = None if unknown else rows

    def _failed(self, context: Any) -> None:
        self._underway.pop(id(getattr(context.execution_context, "cursor", None)), None)

    def _executing(self, state: Any) -> None:
        if not self._counters:
            return
        from harness.observe.purpose import purpose_of

        # An option of the statement's own, because an autoflush may send others before it.
        label = purpose_of(state)
        if label != state.execution_options.get(_LOAD, ""):
            state.update_execution_options(**{_LOAD: label})


def _first(parameters: Any) -> Any:
    return parameters[0] if isinstance(parameters, list) and parameters else parameters
