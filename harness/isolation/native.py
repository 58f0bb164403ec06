"""How a captured engine connects by itself: with its own driver where that fits, else with its counterpart."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, Pool, QueuePool

from harness.database.drivers.choice import family, native_driver
from harness.errors import MissingExtra

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Dialect, Engine

    from harness.isolation.place import Place

_opening = threading.local()


def opening() -> Callable[[Dialect, Any], Any] | None:
    """Return what opens the connection that an engine of this thread is asking for; once for each connection."""
    connect: Callable[[Dialect, Any], Any] | None = getattr(_opening, "connect", None)
    _opening.connect = None
    return connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """An engine's own way to connect.

    Attributes:
        dialect: of the database's kind; the engine's own if that fits.
        url: names the driver, and no database.
        pattern: a pool to make others like.
        creator: SQLAlchemy's own creator of connections, which knows `connect_args`; None if there is none to trust.
        driven: whether only an asynchronous driver is installed for a synchronous engine.
        origin: the engine's own pool, where SQLAlchemy listens for its connections; None if it is of another driver.
    """

    dialect: Dialect
    url: URL
    pattern: Pool
    creator: Any
    driven: bool
    origin: Pool | None = None

    @classmethod
    def of(cls, dialect: Dialect, pool: Pool, backend: str, asynchronous: bool) -> Native:
        """Find it out.

        Args:
            dialect: the engine's own.
            pool: the engine's own.
            backend: the kind of the test database.
            asynchronous: whether the engine is used through SQLAlchemy's asyncio extension.

        Raises:
            MissingExtra: no driver of the database for such an engine is installed.
        """
        if family(dialect.name) == backend and dialect.is_async is asynchronous:
            url = make_url(f"{dialect.name}+{dialect.driver}://")
            several = _several(pool, asynchronous, dialect=dialect, _dispatch=pool.dispatch) or pool.recreate()
            creator = _own_creator(pool)
            return cls(dialect=dialect, url=url, pattern=several, creator=creator, driven=False, origin=pool)
        driver = native_driver(backend, asynchronous=asynchronous)
        driven = driver is None and not asynchronous
        driver = driver or native_driver(backend, asynchronous=True)
        if driver is None:
            raise MissingExtra(f"a driver for {backend}", "all", "a database of a test's own")
        url = make_url(f"{backend}+{driver}://")
        pattern = _several(pool, asynchronous or driven)
        if pattern is None:
            pattern = pool.recreate()
            pattern.__dict__.pop("dispatch", None)  # listeners of another database's driver
        options = {"pool": pattern, **_carried(dialect)}
        made = _async_engine(url, options) if asynchronous else create_engine(url, **options)
        return cls(dialect=made.dialect, url=url, pattern=pattern, creator=None, driven=driven)

    def pool(self, place: Place, shared: Pool, admit: Callable[[], None]) -> Pool:
        """Return a pool of connections to the database of one test.

        Args:
            place: the database.
            shared: the pool that the application knows, with the listeners it has attached.
            admit: raises an error if the engine may not connect.
        """
        pool = self.pattern.recreate()
        pool.dispatch._update(shared.dispatch, only_propagate=False)  # as `recreate` does

        def creator() -> Any:
            admit()
            if self.origin is not None:
                # An engine that is made now is listened to by SQLAlchemy, for its dialect's sake, only after its pool
                # was replaced. What is there already is not added again.
                pool.dispatch._update(self.origin.dispatch, only_propagate=False)
            if self.driven:
                return place.connect_driven()
            if self.creator is None:
                return place.connect(self.dialect, {})
            _opening.connect = place.connect
            try:
                return self.creator()
            finally:
                _opening.connect = None

        pool._creator = creator
        return pool


def _async_engine(url: URL, options: dict[str, Any]) -> Engine:
    from sqlalchemy.ext.asyncio import create_async_engine  # the application has imported it, or is not asynchronous

    return create_async_engine(url, **options).sync_engine


def _several(own: Pool, asynchronous: bool, **options: Any) -> Pool | None:
    """Return None if a pool like the engine's own can hold several connections of this kind, else an empty one."""
    if isinstance(own, NullPool):
        return None
    if isinstance(own, QueuePool) and isinstance(own, AsyncAdaptedQueuePool) is asynchronous:
        return None
    # StaticPool and SingletonThreadPool are for a database that is in the memory of one connection.
    make: Any = AsyncAdaptedQueuePool if asynchronous else QueuePool
    return make(lambda: None, **options)  # type: ignore[no-any-return]  # a Pool; its creator comes later


def _own_creator(pool: Pool) -> Any:
    """Return the pool's creator if SQLAlchemy has made it; one of the application's own would open its database."""
    creator: Any = pool._creator
    ours = getattr(creator, "__module__", "") == "sqlalchemy.engine.create" and creator.__name__ == "connect"
    return creator if ours else None


def _carried(dialect: Dialect) -> dict[str, Any]:
    """Return the arguments of `create_engine` that shape values."""
    found: dict[str, Any] = {}
    for name in ("json_serializer", "json_deserializer"):
        value = getattr(dialect, name, None) or getattr(dialect, f"_{name}", None)
        if value is not None:
            found[name] = value
    return found
