"""The engines and factories behind a dependency."""

# ruff: noqa: B008 - Depends() in a default is FastAPI's idiom
from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import NullPool, StaticPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.graph.build import build
from harness.graph.engines import as_it_is, describe
from harness.graph.facts import Dependency, OriginalEngine

engine = create_engine("postgresql+psycopg://user@host/shop", pool_size=3, max_overflow=4)
async_engine = create_async_engine("sqlite+aiosqlite:///shop.db")
SessionLocal = sessionmaker(bind=engine)
AsyncSessionLocal = async_sessionmaker(async_engine)
Kept = async_sessionmaker(async_engine, expire_on_commit=False)
Old = sessionmaker(async_engine, class_=AsyncSession, expire_on_commit=False)  # type: ignore[call-overload]
Scoped = scoped_session(SessionLocal)


class Decided(AsyncSession):
    """Decides for itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"expire_on_commit": False, **options})


DecidedLocal = async_sessionmaker(async_engine, class_=Decided)


class Manager:
    """Keeps engine and factory, as many applications do."""

    def __init__(self, bind: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(bind)

    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self._sessions() as db:
            yield db


manager = Manager(async_engine)


def described(call: Callable[..., Any], original: Callable[[SqlEngine], OriginalEngine] = as_it_is) -> Dependency:
    """The description of a dependency."""
    app = FastAPI()

    @app.get("/")
    def read(db: Any = Depends(call)) -> None:
        """Read."""

    return build(app, original=original).dependencies[0]


def by_factory() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


def by_begin() -> Iterator[Session]:
    with SessionLocal.begin() as db:
        yield db


def by_class() -> Iterator[Session]:
    with Session(engine) as db:
        yield db


def by_scoped() -> Iterator[Session]:
    yield Scoped()


@pytest.mark.parametrize("call", [by_factory, by_begin, by_class, by_scoped])
def test_the_engine_behind_a_dependency_is_found(call: Callable[..., Any]) -> None:
    """With its name, its place and its pool."""
    (found,) = described(call).engines

    assert ("engine", "<module>", __file__) == (found.name, found.site.function, found.site.path)
    assert OriginalEngine(
        backend="postgresql", server=True, asynchronous=False, pool="QueuePool", size=3, overflow=4
    ) == (found.original)


def test_the_run_tells_what_an_engine_was_before_it_was_captured() -> None:
    """Because its pool is another one while tests run."""
    before = describe(engine.dialect, NullPool(lambda: None))  # type: ignore[arg-type]

    assert [before] == [found.original for found in described(by_factory, lambda _: before).engines]


async def expiring() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


async def expiring_class() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(async_engine) as db:
        yield db


async def keeping() -> AsyncIterator[AsyncSession]:
    async with Kept() as db:
        yield db


async def keeping_old() -> AsyncIterator[AsyncSession]:
    async with Old() as db:
        yield db


async def keeping_class() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(async_engine, expire_on_commit=False) as db:
        yield db


async def deciding() -> AsyncIterator[AsyncSession]:
    async with DecidedLocal() as db:
        yield db


def the_factory() -> async_sessionmaker[AsyncSession]:
    return AsyncSessionLocal


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (expiring, [("AsyncSessionLocal", True)]),
        (expiring_class, [("AsyncSession", True)]),
        (the_factory, [("AsyncSessionLocal", True)]),
        (manager.session, [("async_sessionmaker", True)]),
        (keeping, [("Kept", False)]),
        (keeping_old, [("Old", False)]),
        (keeping_class, [("AsyncSession", False)]),
        (deciding, [("DecidedLocal", False)]),
        (by_factory, []),
    ],
)
def test_whether_sessions_expire_on_commit_is_told(call: Callable[..., Any], expected: list[tuple[str, bool]]) -> None:
    """Of asynchronous ones only, wherever their factory is kept."""
    assert expected == [(one.name, one.expires_on_commit) for one in described(call).factories]


@pytest.mark.parametrize(
    ("options", "size", "overflow"),
    [
        ({}, 5, 10),
        ({"pool_size": 2, "max_overflow": -1}, 2, -1),
        ({"poolclass": NullPool}, None, None),
        ({"poolclass": StaticPool}, None, None),
    ],
)
def test_the_limits_of_a_pool_are_read(options: dict[str, Any], size: int | None, overflow: int | None) -> None:
    """The overflow's limit has no public name: here a release that renames it is noticed."""
    made = as_it_is(create_engine("postgresql+psycopg://user@host/shop", **options))

    assert (size, overflow) == (made.size, made.overflow)
