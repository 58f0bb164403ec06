"""What an application is: its dependencies, its endpoints, and what their source says.

Plain data, read from the application as it would run in production: where a test overrides a dependency, the one that
it replaces is described. Nothing here refers to a live application, so that a rule can be tried without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.callsite import CallSite

_READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
WEBSOCKET = "WS"


class Sort(Enum):
    """What a dependency gives, or a parameter is declared to be."""

    SESSION = "Session"
    ASYNC_SESSION = "AsyncSession"
    CONNECTION = "Connection"
    ASYNC_CONNECTION = "AsyncConnection"
    FACTORY = "sessionmaker"
    ASYNC_FACTORY = "async_sessionmaker"

    @property
    def asynchronous(self) -> bool:
        """Tell whether its methods must be awaited."""
        return self in {Sort.ASYNC_SESSION, Sort.ASYNC_CONNECTION, Sort.ASYNC_FACTORY}

    @property
    def opposite(self) -> Sort:
        """The same thing of the other world, synchronous or asynchronous."""
        return _OPPOSITES[self]


_PAIRS = (
    (Sort.SESSION, Sort.ASYNC_SESSION),
    (Sort.CONNECTION, Sort.ASYNC_CONNECTION),
    (Sort.FACTORY, Sort.ASYNC_FACTORY),
)
_OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route.

    Attributes:
        methods: such as `("GET",)`; `("WS",)` for a WebSocket.
        path: as declared, such as `/items/{id}`.
        threaded: whether its endpoint is a `def`, which runs in the threadpool.
    """

    methods: tuple[str, ...]
    path: str
    threaded: bool

    @property
    def writes(self) -> bool:
        """Tell whether a client may expect it to change something: it takes a method that is not for reading."""
        return any(method not in _READING and method != WEBSOCKET for method in self.methods)

    def __str__(self) -> str:
        return f"{','.join(self.methods)} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCall:
    """A method of a session, or connection, called in a function's own body.

    Attributes:
        session: the expression that holds it, such as `db`.
        method: such as `commit`; for a legacy query `query`, whatever its chain ends with.
        sort: what it is called on.
        dropped: whether it is a statement of its own, so that its result is neither awaited nor kept.
    """

    session: str
    method: str
    sort: Sort
    site: CallSite
    dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitCommit:
    """A commit in the code that a dependency runs after its `yield`.

    Attributes:
        site: the commit, or the block that commits at its end; perhaps in a helper of the dependency's.
        block: whether it is the end of a block such as `with session.begin()`.
        after_error: whether it also runs, with work left to commit, when the endpoint raised.
    """

    site: CallSite
    block: bool
    after_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSession:
    """One session that outlives requests, and that a function uses.

    Attributes:
        name: what the function calls it.
        sort: session or asynchronous session.
        made: where it is made, if that is known.
        used: where the function uses it first.
    """

    name: str
    sort: Sort
    made: CallSite | None
    used: CallSite


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultSession:
    """A session that is the default value of a parameter, so made once, when the module was imported."""

    parameter: str
    sort: Sort
    site: CallSite


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMade:
    """An engine that a function makes each time it runs.

    Attributes:
        maker: such as `create_engine`.
        from_parameters: whether its URL depends on what the request says.
        disposed: whether the same function disposes of it.
    """

    maker: str
    site: CallSite
    from_parameters: bool = False
    disposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What the source of a dependency's or endpoint's function says.

    Attributes:
        name: `module.function`.
        coroutine: whether its body runs on the event loop.
        calls: of sessions that it was given or that it made: what talks to the database and waits for it, and
            coroutines that it does not await.
        commits: what it commits after its `yield`.
        shared, defaults, engines: also those of the user's functions that it calls, two calls deep.
    """

    name: str
    site: CallSite
    coroutine: bool = False
    calls: tuple[SessionCall, ...] = ()
    commits: tuple[ExitCommit, ...] = ()
    shared: tuple[SharedSession, ...] = ()
    defaults: tuple[DefaultSession, ...] = ()
    engines: tuple[EngineMade, ...] = ()

    @property
    def short(self) -> str:
        """Its name without its module."""
        return self.site.function


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """A factory of asynchronous sessions, or the class itself, as a dependency calls it."""

    name: str
    site: CallSite
    expires_on_commit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalEngine:
    """An engine as the application made it.

    Attributes:
        backend: such as `postgresql`.
        server: whether that is a server, which counts its connections.
        asynchronous: whether it is used through SQLAlchemy's asyncio extension.
        pool: the pool's class, such as `QueuePool`.
        size, overflow: its limits, `overflow` -1 for none; None where the pool has no such number.
    """

    backend: str
    server: bool
    asynchronous: bool
    pool: str
    size: int | None = None
    overflow: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that a dependency's sessions use, and where it is made or, failing that, used."""

    name: str
    site: CallSite
    original: OriginalEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place that asks for a dependency.

    Attributes:
        consumer: the endpoint or dependency that asks, as `module.function`; empty for a route's or router's own list.
        parameter: which of its parameters receives it, if one does.
        declared: what that parameter is declared to be, as far as that is certain.
        site: the parameter, or the consumer.
        scope: what `Depends(scope=…)` says; None if it says nothing.
        routes: the routes that reach it here.
    """

    consumer: str
    parameter: str | None = None
    declared: Sort | None = None
    site: CallSite | None = None
    scope: str | None = None
    routes: tuple[Route, ...] = ()

    @property
    def short(self) -> str:
        """The consumer's name without its module."""
        return self.consumer.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One dependency, as it is in production.

    Attributes:
        name: `module.function`.
        site: where it is defined, if it is the user's function.
        gives: what it gives, as far as its body or its declaration tells.
        function: what its source says; None if it is not the user's, or cannot be read.
        factory: whether it is itself a factory of sessions, as in `Depends(SessionLocal)`.
        cached: what caches the session that it gives, if something does: the dependency itself or a function it calls.
        reads: every function of the user's that was read to describe it, itself first.
    """

    name: str
    site: CallSite | None = None
    gives: Sort | None = None
    function: Function | None = None
    factory: bool = False
    cached: CallSite | None = None
    uses: tuple[Use, ...] = ()
    factories: tuple[Factory, ...] = ()
    engines: tuple[Engine, ...] = ()
    reads: tuple[CallSite, ...] = ()

    @property
    def short(self) -> str:
        """Its name without its module."""
        return self.name.rpartition(".")[2]

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route that it serves, once."""
        return tuple(dict.fromkeys(route for use in self.uses for route in use.routes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint function and its routes."""

    function: Function
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppGraph:
    """One application.

    Attributes:
        dependencies: each once, in the order of the routes.
        endpoints: each once, likewise.
        overridden: the names of the dependencies that tests replace.
    """

    dependencies: tuple[Dependency, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    overridden: frozenset[str] = frozenset()

    def functions(self) -> tuple[Function, ...]:
        """Return the functions of all dependencies, then of all endpoints."""
        given = [dependency.function for dependency in self.dependencies if dependency.function]
        return (*given, *(endpoint.function for endpoint in self.endpoints))
