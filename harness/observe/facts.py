"""What happened: the records that listeners make and detectors read.

Plain data. Nothing here refers to a live session, connection or request of the application, so that a tape outlives
its test and a detector can be tried without a database. Times are seconds of `time.perf_counter`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from harness.callsite import CallSite, Place, site_of
from harness.observe.incidents import Collision, ExternalCall, LazyLoad, Sharing, Staleness, Unflushed, Use
from harness.observe.sql import Shape, shape


def site(place: Place | None) -> CallSite | None:
    """Return a place as it is told."""
    return site_of(*place) if place is not None else None


class Phase(Enum):
    """Where a request is. A WebSocket, and a route that is not FastAPI's, is in its endpoint from the beginning."""

    DEPENDENCIES = "dependencies"
    ENDPOINT = "endpoint"
    SERIALIZATION = "serialization"
    BACKGROUND = "background"
    TEARDOWN = "teardown"


class Origin(Enum):
    """Whose object it is."""

    APPLICATION = "application"
    TEST = "test"
    HARNESS = "harness"


class Outcome(Enum):
    """How a transaction ended. DISCARDED is a close without a commit and without a rollback that anybody asked for."""

    OPEN = "open"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    DISCARDED = "discarded"


@dataclass(slots=True, eq=False)
class Failure:
    """An exception: its type, never its text, which may show parameters.

    Attributes:
        kind: the exception's qualified type, such as `sqlalchemy.exc.IntegrityError`.
        database: whether it, or what it wraps, came from SQLAlchemy or the driver.
        greenlet: whether it is SQLAlchemy's complaint about I/O outside of an `await`.
        detached: whether it is SQLAlchemy's complaint about an object without a session.
        http: the status that it asks for, if it is an HTTP exception.
        attribute: what was being read, such as `User.posts`, where that is known.
        place: the innermost line of the user's code in its traceback.
    """

    kind: str
    database: bool = False
    greenlet: bool = False
    detached: bool = False
    http: int | None = None
    attribute: str = ""
    place: Place | None = None

    @property
    def name(self) -> str:
        """The bare name of the exception's type."""
        return self.kind.rpartition(".")[2]


@dataclass(slots=True, eq=False)
class Overridden:
    """A dependency of the application that a test replaced while this request ran.

    Attributes:
        name: the production dependency, as `module.function`.
        site: where the production dependency is defined.
        commits: whether its own code commits, or opens a transaction that commits at its end.
    """

    name: str
    site: CallSite | None
    commits: bool


@dataclass(slots=True, eq=False)
class Request:
    """One request to any ASGI application of the process.

    Attributes:
        number: counts the requests of the run.
        kind: `http` or `websocket`.
        method: `GET`, …; `WS` for a WebSocket.
        path: as requested, without query.
        route: as declared, `/items/{id}`; the path where no route matched.
        endpoint: where the endpoint is defined.
        coroutine: whether the endpoint is an `async def`.
        phase: where it is now; where it ended, on a finished tape.
        phases: each phase, and when it began.
        status: of the response, once it has begun.
        began, answering, answered, ended: when the request came, the response began and was sent, the application
            returned; None if it has not (yet).
        error: the exception that left the application.
        endpoint_error: the exception that left the endpoint function.
        dependency_error: the exception that left a dependency before the endpoint ran.
        overridden: what the test replaced.
        main: the identity of the task that runs it.
    """

    number: int
    kind: str
    method: str
    path: str
    began: float
    main: int | None = None
    route: str = ""
    endpoint: CallSite | None = None
    coroutine: bool = False
    phase: Phase = Phase.DEPENDENCIES
    phases: list[tuple[Phase, float]] = field(default_factory=list)
    status: int | None = None
    answering: float | None = None
    answered: float | None = None
    ended: float | None = None
    error: Failure | None = None
    endpoint_error: Failure | None = None
    endpoint_error_at: float | None = None
    overridden: list[Overridden] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    loads: list[LazyLoad] = field(default_factory=list)
    calls: list[ExternalCall] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether the client was told that it went well, and no exception left the application."""
        return (
            self.error is None
            and self.endpoint_error is None
            and (self.status is None or self.status < 400)
            and (self.status is not None or self.kind == "websocket")
        )

    def __str__(self) -> str:
        status = f" → {self.status}" if self.status is not None else ""
        return f"{self.method} {self.route or self.path}{status}"


@dataclass(slots=True, eq=False)
class Statement:
    """One statement that the application or the test sent; never harness's own.

    Attributes:
        sql: its text, with placeholders; parameters are never recorded.
        at, seconds: when it was sent, and how long the cursor took; None if it failed or has not come back.
        place: the innermost line of the user's code.
        request, phase: in which it was sent, if in any.
        checkout: on which connection.
        write: whether it changed rows, or may have.
        rows: how many rows the driver says it affected; -1 if it does not say.
        blocking: whether a synchronous driver held a running event loop.
        holder: the innermost line of the user's `async def`s that led there, if it did.
        loaded: the lazy load that it belongs to.
        task: the identity of the task, or thread, that sent it.
        undone: whether a savepoint took it back.
    """

    sql: str
    at: float
    place: Place | None
    request: Request | None
    phase: Phase | None
    checkout: Checkout | None
    task: int
    blocking: bool = False
    holder: Place | None = None
    write: bool = False
    rows: int = -1
    seconds: float | None = None
    loaded: LazyLoad | None = None
    undone: bool = False

    @property
    def shape(self) -> Shape:
        """Its verb, table and text without literals."""
        return shape(self.sql)


@dataclass(slots=True, eq=False)
class Checkout:
    """A connection's stay outside of its pool.

    Attributes:
        pool: tells pools apart.
        driver: SQLAlchemy's name for the driver of the application's engine, such as `postgresql+psycopg2`.
        asynchronous: whether the engine is used through SQLAlchemy's asyncio extension.
        collected: whether garbage collection had to return it.
        session: the session that uses it, if one does.
    """

    pool: int
    driver: str
    asynchronous: bool
    at: float
    place: Place | None
    request: Request | None
    phase: Phase | None
    origin: Origin
    returned: float | None = None
    collected: bool = False
    session: Session | None = None
    transactions: list[Transaction] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    @property
    def current(self) -> Transaction | None:
        """The transaction that is open on it."""
        last = self.transactions[-1] if self.transactions else None
        return last if last is not None and last.outcome is Outcome.OPEN else None


@dataclass(slots=True, eq=False)
class Transaction:
    """One outermost transaction, of a session or of a Core connection.

    Attributes:
        reopened: whether its session had been closed before and began again.
        committing: when a commit was begun, also if it failed.
        end_place: the line that ended it; None if a library did, as at the end of a `with` block.
        failed: the error of a flush after which nobody rolled back.
        blocking: whether its end (COMMIT, ROLLBACK) held a running event loop.
        unwinding: whether an exception was on its way through the code while it was closed.
    """

    checkout: Checkout
    began: float
    place: Place | None
    request: Request | None
    phase: Phase | None
    session: Session | None = None
    reopened: bool = False
    outcome: Outcome = Outcome.OPEN
    committing: float | None = None
    ended: float | None = None
    ended_in: Request | None = None
    ended_phase: Phase | None = None
    end_place: Place | None = None
    failed: Failure | None = None
    blocking: bool = False
    unwinding: bool = False
    statements: list[Statement] = field(default_factory=list)

    @property
    def writes(self) -> list[Statement]:
        """The statements that changed rows and were not taken back by a savepoint."""
        return [statement for statement in self.statements if statement.write and not statement.undone]


@dataclass(slots=True, eq=False)
class Session:
    """One SQLAlchemy session (`AsyncSession` counts as the session inside it).

    It lives as long as the session does, so it may have been used in earlier tests too.

    Attributes:
        number: counts the sessions of the run.
        origin: whose it is.
        request, phase, after_response: where it was made.
        main: the task that made it.
        requests: every request that used it, in order, and the first line that did.
        overlaps: pairs of requests that were both under way while they used it.
        siblings: uses by a task while another task, neither of them the request's own, was using it too.
        collisions: statements started while another task's was under way on the same connection.
        late: uses after its request had ended.
        background: uses in the background phase of the request that made it.
        closed: when and where it was closed, each time.
        carried: requests that found work in it that somebody had left unsent, such as a test's objects.
    """

    number: int
    asynchronous: bool
    origin: Origin
    born: float
    place: Place | None
    request: Request | None
    phase: Phase | None
    after_response: bool
    main: int | None
    requests: dict[Request, Place | None] = field(default_factory=dict)
    overlaps: list[tuple[Request, Request, Place | None]] = field(default_factory=list)
    siblings: list[Sharing] = field(default_factory=list)
    collisions: list[Collision] = field(default_factory=list)
    late: list[Use] = field(default_factory=list)
    background: list[Use] = field(default_factory=list)
    closed: list[tuple[float, Place | None]] = field(default_factory=list)
    carried: list[Request] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    unflushed: list[Unflushed] = field(default_factory=list)
    stale: list[Staleness] = field(default_factory=list)
    expires_on_commit: bool = True
