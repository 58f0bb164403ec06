"""Everything that the contestants of one driver need: a captured engine, plain ones, a loop, a pinned connection."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.databases import Databases
from benchmarks.drivers import Driver
from benchmarks.schema import Base
from harness.isolation.capture import Registry, capture
from harness.isolation.flow import running_test
from harness.isolation.level import Level
from harness.isolation.target import Target

AnyEngine = Engine | AsyncEngine


@dataclass(slots=True)
class Stage:
    """One driver's stage.

    Attributes:
        driver: the driver.
        databases: where plain engines connect to.
        target: what harness isolates.
        loop: the loop for coroutine functions.
        registry: the engines that harness has captured.
    """

    driver: Driver
    databases: Databases
    target: Target
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    registry: Registry | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _capturing: bool = False

    def captured_engine(self) -> Any:
        """Return an engine as the application makes it, which harness has captured."""
        self._capturing = True
        try:
            return self._make(self.driver.production)
        finally:
            self._capturing = False

    def plain_engine(self, url: URL | None = None, **options: Any) -> Any:
        """Return an engine that harness leaves alone."""
        return self._make((url or self.databases.main).set(drivername=self.driver.scheme), **options)

    def savepoint_engine(self, **options: Any) -> Any:
        """Return a plain engine on which savepoints work, with the two listeners that SQLAlchemy documents."""
        engine = self.plain_engine(**options)
        if self.driver.backend == "sqlite":
            sync_engine = engine.sync_engine if self.driver.asynchronous else engine
            event.listen(sync_engine, "connect", _no_driver_transactions)
            event.listen(sync_engine, "begin", _explicit_begin)
        return engine

    def ignores(self) -> bool:
        """Tell harness which engines are none of its business: all but the captured one."""
        return self.target.own_engine or not self._capturing

    @contextmanager
    def isolated(self, code: CodeType | None = None) -> Iterator[None]:
        """One test as harness isolates it: what the plugin does in setup, call and teardown.

        Args:
            code: of the coroutine function that is the test, if it is one.
        """
        level = Level("the test")
        pinned = self.target.pinned
        pinned.enter(level)
        try:
            with running_test(code):
                yield
        finally:
            if level.ledger is not None:
                level.ledger.closing = True
            problems = pinned.leave(level)
        if problems:
            raise problems[0]

    def when_closed(self, action: Callable[[], Any]) -> None:
        """Do something at the end, before the loop is closed."""
        self._stack.callback(action)

    def close(self) -> None:
        """Close every engine and the loop."""
        self._stack.close()
        self.loop.close()

    def _make(self, url: URL | str, **options: Any) -> AnyEngine:
        engine = create_async_engine(url, **options) if self.driver.asynchronous else create_engine(url, **options)
        if isinstance(engine, AsyncEngine):
            self.when_closed(lambda: self.loop.run_until_complete(engine.dispose()))
        else:
            self.when_closed(engine.dispose)
        return engine


@contextmanager
def stage(driver: Driver, databases: Databases) -> Iterator[Stage]:
    """Set the stage for one driver: engines are captured until the context ends, the schema is there."""
    _create_schema(databases.main)
    target = Target(databases.backend, lambda: databases.main)
    gc.collect()  # engines of the driver before this one must not take part in the choice of harness's connection
    with ExitStack() as stack:
        made = Stage(driver, databases, target)
        stack.callback(target.pinned.close)
        made.registry = stack.enter_context(capture(target, made.ignores))
        stack.callback(made.close)
        yield made


def _create_schema(url: URL) -> None:
    scheme = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else "sqlite"
    engine = create_engine(url.set(drivername=scheme))
    Base.metadata.create_all(engine)
    engine.dispose()


def _no_driver_transactions(connection: Any, record: object) -> None:
    connection.isolation_level = None


def _explicit_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
