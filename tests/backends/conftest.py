"""One fixture, `backend`: every law of isolation runs on every driver."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from harness.database import identity, provider
from harness.errors import DatabaseUnavailable, IsolationError
from harness.isolation.capture import Registry, capture
from harness.isolation.level import Level
from harness.isolation.target import Target
from tests.support.tables import Base

T = TypeVar("T")

DRIVERS = ("sqlite3", "aiosqlite", "psycopg", "psycopg_async", "asyncpg")
_URLS = {
    "sqlite3": "sqlite:///production.db",
    "aiosqlite": "sqlite+aiosqlite:///production.db",
    "psycopg": "postgresql+psycopg://nobody@production.invalid/shop",
    "psycopg_async": "postgresql+psycopg://nobody@production.invalid/shop",
    "asyncpg": "postgresql+asyncpg://nobody@production.invalid/shop",
}


def is_async(driver: str) -> bool:
    return driver in ("aiosqlite", "psycopg_async", "asyncpg")


class Backend:
    """One application's engine, captured, on one test database.

    `engine` is what the application made: its URL names a production database that must never be reached.
    """

    def __init__(self, driver: str, target: Target, registry: Registry) -> None:
        self.driver = driver
        self.target = target
        self.registry = registry
        self.asynchronous = is_async(driver)
        if self.asynchronous:
            self.async_engine: AsyncEngine = create_async_engine(_URLS[driver])
            self.engine = self.async_engine.sync_engine
        else:
            self.engine = sa.create_engine(_URLS[driver])

    @property
    def postgres(self) -> bool:
        return self.target.backend == "postgresql"

    @contextmanager
    def test(self) -> Iterator[list[IsolationError]]:
        """One test: what happens inside is undone; the list receives what went wrong."""
        level = Level("the test")
        problems: list[IsolationError] = []
        self.target.pinned.enter(level)
        try:
            yield problems
        finally:
            if level.ledger is not None:
                level.ledger.closing = True
            problems.extend(self.target.pinned.leave(level))

    def run(self, law: Callable[[], T]) -> T:
        """Call `law` as the application would use this driver: in SQLAlchemy's greenlet if it is an async one."""
        if not self.asynchronous:
            return law()
        return asyncio.run(greenlet_spawn(law))

    def rows(self) -> list[str]:
        """What is in the table for good, asked on the real connection."""
        return sorted(self.target.pinned.physical.scalars("SELECT v FROM thing"))


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[URL]:
    plan = provider.choose("postgres", os.environ.get("HARNESS_TEST_IMAGE"), None, identity.current(), print)
    try:
        database = plan.start()
    except DatabaseUnavailable as error:
        if "postgres" in os.environ.get("HARNESS_TEST_REQUIRE", ""):
            raise
        pytest.skip(reason=f"no PostgreSQL here: {error.fact}")
    yield database.url
    database.close()


@pytest.fixture(params=DRIVERS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    driver: str = request.param
    selected = request.config.getoption("db")
    kind = "sqlite" if "sqlite" in driver else "postgres"
    if selected and kind not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    if kind == "sqlite":
        database = provider.choose("sqlite", None, None, identity.current(), print).start()
        url = database.url
    else:
        url = request.getfixturevalue("postgres_url")
    target = Target("sqlite" if kind == "sqlite" else "postgresql", lambda: url)
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            # Engines that other tests have left alive must not take part in the choice of the driver.
            patch.setattr("harness.isolation.capture.gc", SimpleNamespace(get_objects=list))
            registry = stack.enter_context(capture(target, lambda: target.own_engine))
        made = Backend(driver, target, registry)
        assert driver in (*target.driver.serves, "sqlite3"), "the law would run on another driver"
        own = registry_engine(registry, target)
        Base.metadata.drop_all(own)
        Base.metadata.create_all(own)
        target.pinned.schema_changed()
        yield made
        Base.metadata.drop_all(registry_engine(registry, target))
    target.pinned.close()
    if kind == "sqlite":
        database.close()


def registry_engine(registry: Registry, target: Target) -> sa.Engine:
    """An engine of harness's own, used synchronously on whichever driver."""
    from harness.isolation.capture import Own

    registry.making_own = Own.SYNC
    try:
        return sa.create_engine(target.url)
    finally:
        registry.making_own = None
