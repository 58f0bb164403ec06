"""Redirect every SQLAlchemy engine of the process to the pinned connection.

This is the one file of harness that replaces attributes of other people's objects, and this is why it must: nothing
in SQLAlchemy announces a new engine, and the pool of an engine decides where its connections come from. `capture`
is a context manager; leaving it gives every engine its own pool, dialect and URL back.

- `Engine.__init__` is wrapped, so that an engine is known from its first moment on;
- a captured engine's `pool` is replaced by one of the same class and settings that hands out `ConnectionProxy`;
- where its dialect is not that of the test database's driver, `dialect` and `url` are replaced too, also of the
  engines that `execution_options` made from it;
- the public event `do_connect` refuses a real connection that any engine still tries to open, as a safety net.

While a test has a database of its own (`enter`), engines have pools of real connections to that one instead, with
drivers of the application's own family (`native.py`).
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.base import OptionEngine
from sqlalchemy.pool import Pool

from harness.callsite import nearest_user_frame
from harness.errors import EscapeError
from harness.isolation.captured import Captured, Own
from harness.isolation.dialects import driver_name
from harness.isolation.hearing import Hearing
from harness.isolation.leniency import accept_what_servers_accept
from harness.isolation.native import Native, opening
from harness.isolation.proxy import ConnectionProxy
from harness.isolation.replica import ReplicaProxy

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from harness.isolation.place import Place
    from harness.isolation.target import Target


@dataclass(slots=True)
class Registry:
    """The engines that are captured now."""

    target: Target
    engines: weakref.WeakKeyDictionary[Engine, Captured] = field(default_factory=weakref.WeakKeyDictionary)
    proxies: weakref.WeakSet[ConnectionProxy] = field(default_factory=weakref.WeakSet)
    making_own: Own | None = None
    #: Engines that share the pool of another one: `engine.execution_options(…)`.
    options: weakref.WeakSet[OptionEngine] = field(default_factory=weakref.WeakSet)
    #: The database of the test that is running, if it has one of its own.
    place: Place | None = None
    #: How many transactions were committed in such databases; tells a session that it may be out of date.
    commits: int = 0
    _hearing: Hearing = field(init=False)
    _lock: Any = field(default_factory=threading.RLock)
    #: Is told each engine that the application makes.
    when_made: Callable[[Engine], None] = lambda engine: None

    def __post_init__(self) -> None:
        self._hearing = Hearing(lambda: self.target.pinned.observer, self._committed)

    def _committed(self) -> None:
        self.commits += 1

    def drivers(self) -> list[str]:
        """Return the driver names of all engines as the application made them; harness's own do not count."""
        return [driver_name(known.dialect) for known in self.engines.values() if not known.own]

    def backends(self) -> set[str]:
        """Return the names of the databases that the application's engines were made for."""
        return {known.dialect.name for known in self.engines.values() if not known.own}

    def add(self, engine: Engine, replica: str | None = None, admit: Callable[[URL], None] | None = None) -> None:
        """Capture an engine.

        Args:
            engine: the engine.
            replica: what the application calls the replica that it reads from, if it does.
            admit: raises an error if it may not connect after all; told the URL that it was made with.
        """
        dialect, own = engine.dialect, self.making_own
        asynchronous = dialect.is_async and self.making_own is not Own.SYNC
        self.engines[engine] = Captured(engine.url, dialect, engine.pool, asynchronous, own is not None, replica, admit)
        if own is None:
            self.when_made(engine)
        if own is None and self.target.choose_driver(self.drivers()):
            with self.shared():
                self.redirect_all()
            return
        self._redirect(engine)
        if self.place is not None:
            self._set_aside(engine, self.engines[engine], self.place)

    def add_options(self, engine: OptionEngine) -> None:
        """Let an engine that shares the pool of another one follow it."""
        self.options.add(engine)

    def settle(self) -> None:
        """Do nothing: with one database, no engine has to wait."""

    def known(self, engine: Engine) -> Captured | None:
        """Return what an engine was before it was captured; None if it was not."""
        return self.engines.get(engine)

    def engine_of(self, pool: Pool) -> tuple[Engine, Captured] | None:
        """Return the engine whose pool this is, and what it was before; None for a pool of nobody's."""
        return next(((engine, known) for engine, known in self.engines.items() if engine.pool is pool), None)

    def retarget(self, target: Target) -> None:
        """Aim all engines at another test database."""
        self.target = target
        target.choose_driver(self.drivers())
        for known in self.engines.values():
            known.native = None  # it is a counterpart for the former one
        self.redirect_all()

    def redirect_all(self) -> None:
        """Redirect all engines again, after the driver of the test database has been decided anew."""
        for engine in list(self.engines):
            self._restore_one(engine)
            self._redirect(engine)
        self._options_follow()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """While active, engines share the pinned connection, also in a test that has a database of its own."""
        place = self.place
        self.leave()
        try:
            yield
        finally:
            if place is not None:
                self.enter(place)

    def enter(self, place: Place) -> None:
        """Let every engine connect to the database of one test, if that is not over."""
        with self._lock:
            if place.ended:  # another thread got here late
                return
            self.place = place
            place.when_provided = self._tell_urls
            for engine, known in list(self.engines.items()):
                self._set_aside(engine, known, place)
            self._options_follow()

    def leave(self, *, for_good: bool = False) -> None:
        """Let every engine share the pinned connection again.

        Args:
            for_good: the test is over, and nobody may connect to its database any more.
        """
        with self._lock:
            if self.place is not None and for_good:
                self.place.ended = True
            place, self.place = self.place, None
            for engine, known in list(self.engines.items()):
                if known.shared is not None:
                    engine.pool, engine.dialect, engine.url = known.shared
                    known.shared = None
                    self._hearing.detach(engine)
                    if place is not None and place.used:
                        self._name_schema(engine, self.target.url)
            self._options_follow()

    def _set_aside(self, engine: Engine, known: Captured, place: Place) -> None:
        if known.native is None:
            with self.target.making_own_engine():
                known.native = Native.of(known.dialect, known.pool, self.target.backend, known.asynchronous)
        known.shared = (engine.pool, engine.dialect, engine.url)
        self._hearing.attach(engine, known.replica)
        if known.aside is None or known.aside[0] is not place:
            known.aside = (place, known.native.pool(place, engine.pool, partial(_admit, known)))
        engine.pool, engine.dialect = known.aside[1], known.native.dialect
        engine.url = place.url(engine.dialect) if place.used else known.native.url
        if place.used:
            self._name_schema(engine, engine.url)

    def _name_schema(self, engine: Engine, url: URL) -> None:
        """Tell a dialect what it has learnt at its first connection, and believes for ever: on MySQL, the database."""
        if self.target.backend == "mysql":
            engine.dialect.default_schema_name = url.database

    def tell_own_urls(self) -> None:
        """Give harness's own engines, which may have been made before the database was there, its URL."""
        for engine, known in list(self.engines.items()):
            if known.own and known.shared is None:
                engine.url = self.target.url.set(drivername=engine.url.drivername)

    def _tell_urls(self) -> None:
        if self.place is not None:
            for engine in list(self.engines):
                engine.url = self.place.url(engine.dialect)
                self._name_schema(engine, engine.url)
            self._options_follow()

    def _options_follow(self) -> None:
        for engine in list(self.options):
            proxied: Any = engine._proxied
            engine.dialect, engine.url = proxied.dialect, proxied.url

    def restore(self) -> None:
        """Give every engine back what it was made with."""
        for engine in list(self.engines):
            self._restore_one(engine)
        self._options_follow()
        self.engines.clear()

    def _restore_one(self, engine: Engine) -> None:
        known = self.engines[engine]
        engine.pool, engine.dialect, engine.url = known.pool, known.dialect, known.url

    def _redirect(self, engine: Engine) -> None:
        known = self.engines[engine]
        wanted = self.target.dialect_class(known.dialect.name)
        lenient = wanted.name == "sqlite" and "sqlite" not in self.backends()
        if type(known.dialect) is not wanted:
            engine.dialect = known.other(wanted, lenient=lenient)
            engine.url = self.target.url
        elif lenient and not known.lenient:
            accept_what_servers_accept(engine.dialect)
            known.lenient = True
        known.initialized = False
        engine.pool = self._pool(engine, known)

    def _pool(self, engine: Engine, known: Captured) -> Pool:
        """Return a pool with the settings of the engine's own, which hands out proxies."""
        pool = known.pool.recreate()
        reference = weakref.ref(engine)

        def creator() -> DBAPIConnection:
            owner = reference()
            assert owner is not None
            return self.connect(owner, known)

        pool._creator = creator
        pool._dialect = engine.dialect
        if type(known.dialect) is not type(engine.dialect):
            pool.__dict__.pop("dispatch", None)  # listeners of another database's driver
        event.listen(pool, "checkout", _mark_ready)
        return pool

    def connect(self, engine: Engine, known: Captured) -> DBAPIConnection:
        """Return a logical connection for an engine."""
        _admit(known)
        self.target.ensure_ready()
        if not known.initialized:
            engine.dialect.__dict__.update(self.target.dialect_state())
            known.initialized = True
            if engine.dialect is not known.dialect:
                engine.url = self.target.url
        if known.replica is None:
            proxy = ConnectionProxy(self.target.pinned, asynchronous=known.asynchronous)
        else:
            proxy = ReplicaProxy(self.target.pinned, asynchronous=known.asynchronous, name=known.replica)
        self.proxies.add(proxy)
        return proxy  # type: ignore[return-value]  # a proxy is a DBAPI connection by delegation


def _admit(known: Captured) -> None:
    if known.admit is not None:
        known.admit(known.url)


def _mark_ready(connection: Any, record: ConnectionPoolEntry, fairy: Any) -> None:
    if issubclass(type(connection), ConnectionProxy):
        object.__setattr__(connection, "ready", True)


class Captor(Protocol):
    """Who captures engines: the registry of the only database, or routes to those of several."""

    def add(self, engine: Engine) -> None:
        """Capture an engine."""

    def add_options(self, engine: OptionEngine) -> None:
        """Let an engine that shares the pool of another one follow it."""

    def known(self, engine: Engine) -> Captured | None:
        """Return what an engine was before it was captured; None if it was not."""

    def engine_of(self, pool: Pool) -> tuple[Engine, Captured] | None:
        """Return the engine whose pool this is, and what it was before; None for a pool of nobody's."""

    def settle(self) -> None:
        """Look again at engines that wait, because it was not known to which database they belong."""

    def restore(self) -> None:
        """Give every engine back what it was made with."""


@contextmanager
def capture(target: Target, ignore: Callable[[], bool]) -> Iterator[Registry]:
    """Capture every engine for one database, until the context ends.

    Args:
        target: the test database.
        ignore: true while harness makes an engine for itself.
    """
    registry = Registry(target)
    with capturing(registry, ignore):
        yield registry


@contextmanager
def capturing(captor: Captor, ignore: Callable[[], bool]) -> Iterator[None]:
    """Have every engine captured that exists or will be made, until the context ends.

    Args:
        captor: captures them.
        ignore: true while harness makes an engine for itself.
    """
    original, original_option = Engine.__init__, OptionEngine.__init__

    def __init_option__(self: OptionEngine, proxied: Engine, execution_options: Any) -> None:
        original_option(self, proxied, execution_options)
        captor.add_options(self)

    def refuse(dialect: Dialect, record: ConnectionPoolEntry, arguments: Any, options: Any) -> Any:
        if (connect := opening()) is not None:
            return connect(dialect, options)
        if not ignore():
            raise _escape(dialect)
        return None

    for engine in gc.get_objects():
        if type(engine) is Engine:
            captor.add(engine)
        elif type(engine) is OptionEngine:
            captor.add_options(engine)

    Engine.__init__ = _capturing_init(original, captor, ignore)  # type: ignore[method-assign]  # see the docstring above
    OptionEngine.__init__ = __init_option__  # type: ignore[method-assign,assignment]  # as above
    event.listen(Engine, "do_connect", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", refuse)
        OptionEngine.__init__ = original_option  # type: ignore[method-assign]  # the original back
        Engine.__init__ = original  # type: ignore[method-assign]  # the original back
        captor.restore()


def _capturing_init(original: Any, captor: Captor, ignore: Callable[[], bool]) -> Any:
    """Return what stands for `Engine.__init__`."""

    def __init__(
        self: Engine,
        pool: Pool,
        dialect: Dialect,
        url: URL,
        # `create_engine` reads these names from the signature to tell an engine's arguments from a pool's.
        logging_name: str | None = None,
        echo: Any = None,
        query_cache_size: int = 500,
        execution_options: Any = None,
        hide_parameters: bool = False,
        **more: Any,
    ) -> None:
        original(
            self, pool, dialect, url, logging_name, echo, query_cache_size, execution_options, hide_parameters, **more
        )
        if not ignore():
            captor.add(self)

    return __init__


def _escape(dialect: Dialect) -> EscapeError:
    site = nearest_user_frame()
    return EscapeError(
        f"an engine of {dialect.name} tried to open a real connection during a test run",
        where=str(site) if site else None,
        why="harness could not redirect it, and a test run must not reach a database that is not a test database",
        remedy="make the engine with sqlalchemy.create_engine or create_async_engine",
    )
