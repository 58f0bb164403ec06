"""Cost of a whole test whose function is async: an httpx client per test, three requests, on one loop.

Against harness's `async_client` stands the strongest hand-written set-up: a loop for the whole session, so that the
pool survives, and httpx's own transport, which has no thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.clock import TASK_CODE, Contestant
from benchmarks.isolation import HARNESS
from benchmarks.shop import async_shop
from benchmarks.stage import Stage
from benchmarks.whole import NEW_USER
from harness.client.concurrent import async_client
from harness.client.transport import httpx
from harness.fixtures.client import named_requests

WRITTEN = "recipe + httpx.AsyncClient"


def contestants(stage: Stage) -> list[Contestant]:
    """Return both ways, for an async application."""
    return [Contestant(HARNESS, _harness(stage)), Contestant(WRITTEN, _written(stage))]


async def three_requests(client: httpx.AsyncClient) -> None:
    """Create a user, look at it, rename it."""
    user_id = (await client.post("/users", json=NEW_USER)).json()["id"]
    (await client.get(f"/users/{user_id}")).json()
    (await client.patch(f"/users/{user_id}", json={"name": "bob"})).json()


def _harness(stage: Stage) -> Callable[[], Any]:
    app = async_shop(async_sessionmaker(stage.captured_engine(), expire_on_commit=False)).app

    async def test() -> None:
        with stage.isolated(TASK_CODE):
            async with async_client(app, wrap=named_requests) as client:
                await three_requests(client)

    return test


def _written(stage: Stage) -> Callable[[], Any]:
    engine = stage.savepoint_engine()
    shop = async_shop(async_sessionmaker(engine))

    async def test() -> None:
        connection = await engine.connect()
        transaction = await connection.begin()
        session = AsyncSession(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)

        async def override() -> AsyncIterator[AsyncSession]:
            yield session

        shop.app.dependency_overrides[shop.get_db] = override
        transport = httpx.ASGITransport(shop.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            await three_requests(client)
        shop.app.dependency_overrides.clear()
        await session.close()
        await transaction.rollback()
        await connection.close()

    return test
