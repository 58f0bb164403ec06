"""Cost per test of isolation: the body alone, no client, isolated in several ways. Async drivers, on one loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from benchmarks import replay
from benchmarks.bodies import async_body
from benchmarks.clock import TASK_CODE, Contestant
from benchmarks.isolation import HARNESS, RAW, RECIPE, RECIPE_EACH, TABLES, UNISOLATED
from benchmarks.schema import Base, Item, User
from benchmarks.stage import Stage

_CONNECT = {"aiosqlite": replay.async_sqlite, "psycopg async": replay.async_psycopg, "asyncpg": replay.async_asyncpg}


def contestants(stage: Stage) -> list[Contestant]:
    """Return the ways, unisolated among them, for an async driver."""
    plain = stage.plain_engine()
    return [
        Contestant(HARNESS, _harness(stage)),
        Contestant(UNISOLATED, _unisolated(plain), after=lambda: clear(plain)),
        Contestant(RECIPE, _recipe(stage.savepoint_engine())),
        Contestant(RECIPE_EACH, _recipe_each(stage.savepoint_engine())),
        Contestant(TABLES, _tables(stage.plain_engine(stage.databases.scratch)), slow=True),
        Contestant(RAW, _raw(stage, plain)),
    ]


async def clear(engine: AsyncEngine) -> None:
    """Delete the rows that an unisolated test has left."""
    async with engine.begin() as connection:
        await connection.execute(delete(Item))
        await connection.execute(delete(User))


def _harness(stage: Stage) -> Callable[[], Any]:
    sessions = async_sessionmaker(stage.captured_engine(), expire_on_commit=False)

    async def test() -> None:
        with stage.isolated(TASK_CODE):
            await async_body(sessions)

    return test


def _unisolated(engine: AsyncEngine) -> Callable[[], Any]:
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def test() -> None:
        await async_body(sessions)

    return test


def _recipe(engine: AsyncEngine) -> Callable[[], Any]:
    """SQLAlchemy's documentation, "Joining a Session into an External Transaction": one session for the whole test."""

    async def test() -> None:
        connection = await engine.connect()
        transaction = await connection.begin()
        session = AsyncSession(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        await async_body(lambda: nullcontext(session))
        await session.close()
        await transaction.rollback()
        await connection.close()

    return test


def _recipe_each(engine: AsyncEngine) -> Callable[[], Any]:
    """The recipe around an application that makes its own sessions, as the unisolated one does."""

    async def test() -> None:
        connection = await engine.connect()
        transaction = await connection.begin()
        mode = "create_savepoint"
        await async_body(async_sessionmaker(bind=connection, join_transaction_mode=mode, expire_on_commit=False))
        await transaction.rollback()
        await connection.close()

    return test


def _tables(engine: AsyncEngine) -> Callable[[], Any]:
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def test() -> None:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await async_body(sessions)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)

    return test


def _raw(stage: Stage, engine: AsyncEngine) -> Callable[[], Any]:
    run = stage.loop.run_until_complete
    steps = replay.recorded(engine.sync_engine, lambda: run(_unisolated(engine)()))
    run(clear(engine))
    execute, close = run(_CONNECT[stage.driver.name](stage.databases.main))
    stage.when_closed(lambda: run(close()))

    async def test() -> None:
        await replay.async_replay(steps, execute)

    return test
