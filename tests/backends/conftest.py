"""One fixture, `backend`: every law of isolation runs on every driver."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
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
from tests.support.tables import Base, without_deferral

T = TypeVar("T")

DRIVERS = ("sqlite3", "aiosqlite", "psycopg", "psycopg_async", "asyncpg", "pymysql", "mysqldb", "aiomysql", "asyncmy")
_URLS = {
    "sqlite3": "sqlite:///production.db",
    "aiosqlite": "sqlite+aiosqlite:///production.db",
    "psycopg": "postgresql+psycopg://nobody@production.invalid/shop",
    "psycopg_async": "postgresql+psycopg://nobody@production.invalid/shop",
    "asyncpg": "postgresql+asyncpg://nobody@production.invalid/shop",
    "pymysql": "mysql+pymysql://nobody@production.invalid/shop",
    "mysqldb": "mariadb+mysqldb://nobody@production.invalid/shop",
    "aiomysql": "mysql+aiomysql://nobody@production.invalid/shop",
    "asyncmy": "mariadb+asyncmy://nobody@production.invalid/shop",
}
MARIADB = ("pymysql", "mysqldb", "aiomysql", "asyncmy")
#: The database that each driver's laws need.
_DATABASES = {
    **dict.fromkeys(("sqlite3", "aiosqlite"), "sqlite"),
    **dict.fromkeys(("psycopg", "psycopg_async", "asyncpg"), "postgres"),
    **dict.fromkeys(MARIADB, "mariadb"),
}


def is_async(driver: str) -> bool:
    return driver in ("aiosqlite", "psycopg_async", "asyncpg", "aiomysql", "asyncmy")


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

    @property
    def mariadb(self) -> bool:
        return self.target.backend == "mysql"

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


def _provided(server: str, image: str | None) -> Iterator[URL]:
    plan = provider.choose(server, image, None, identity.current(), print)
    try:
        database = plan.start()
    except DatabaseUnavailable as error:
        if server in os.environ.get("HARNESS_TEST_REQUIRE", ""):
            raise
        pytest.skip(reason=f"no {server} here: {error.fact}")
    yield database.url
    database.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    yield from _provided("postgres", os.environ.get("HARNESS_TEST_IMAGE"))


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[URL]:
    yield from _provided("mariadb", os.environ.get("HARNESS_TEST_MARIADB_IMAGE"))


@pytest.fixture(params=DRIVERS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    driver: str = request.param
    selected = request.config.getoption("db")
    kind = _DATABASES[driver]
    if selected and kind not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    if driver == "mysqldb" and find_spec("MySQLdb") is None:
        pytest.skip(reason="mysqlclient is built from source, so only the environment for MariaDB installs it")
    if kind == "sqlite":
        database = provider.choose("sqlite", None, None, identity.current(), print).start()
        url = database.url
    else:
        url = request.getfixturevalue(f"{kind}_url")
    target = Target(url.get_backend_name(), lambda: url)
    tables = without_deferral() if kind == "mariadb" else Base.metadata
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            # Engines that other tests have left alive must not take part in the choice of the driver.
            patch.setattr("harness.isolation.capture.gc", SimpleNamespace(get_objects=list))
            registry = stack.enter_context(capture(target, lambda: target.own_engine))
        made = Backend(driver, target, registry)
        assert driver in (*target.driver.serves, "sqlite3"), "the law would run on another driver"
        own = registry_engine(registry, target)
        tables.drop_all(own)
        tables.create_all(own)
        target.pinned.schema_changed()
        yield made
        tables.drop_all(registry_engine(registry, target))
    target.pinned.close()
    if kind == "sqlite":
        database.close()


def registry_engine(registry: Registry, target: Target) -> sa.Engine:
    """An engine of harness's own, used synchronously on whichever driver."""
    from harness.isolation.captured import Own

    registry.making_own = Own.SYNC
    try:
        return sa.create_engine(target.url)
    finally:
        registry.making_own = None
