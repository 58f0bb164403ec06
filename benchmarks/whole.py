"""Cost of a whole test, client included: a client per test, three requests, everything undone. Sync tests.

Against harness stands (e), what people write: the recipe of SQLAlchemy's documentation in a fixture,
`dependency_overrides[get_db]`, and `with TestClient(app)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, AsyncTransaction, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from benchmarks.clock import Contestant
from benchmarks.isolation import HARNESS
from benchmarks.shop import async_shop, sync_shop
from benchmarks.stage import Stage
from harness.client.blocking import Client
from harness.client.driver import Driver as LoopDriver
from harness.fixtures.client import named_requests

WRITTEN = "recipe + TestClient"

NEW_USER = {"name": "ann", "email": "ann@example.org", "items": [{"title": "lamp"}, {"title": "chair"}]}


def contestants(stage: Stage) -> list[Contestant]:
    """Return both ways, for an application of the driver's kind."""
    written = _async_written(stage) if stage.driver.asynchronous else _written(stage)
    return [Contestant(HARNESS, _harness(stage)), Contestant(WRITTEN, written)]


def three_requests(client: TestClient) -> None:
    """Create a user, look at it, rename it."""
    user_id = client.post("/users", json=NEW_USER).json()["id"]
    client.get(f"/users/{user_id}").json()
    client.patch(f"/users/{user_id}", json={"name": "bob"}).json()


def _harness(stage: Stage) -> Callable[[], Any]:
    engine = stage.captured_engine()
    if stage.driver.asynchronous:
        app = async_shop(async_sessionmaker(engine, expire_on_commit=False)).app
    else:
        app = sync_shop(sessionmaker(engine)).app
    driver = LoopDriver()
    stage.when_closed(driver.close)

    def test() -> None:
        with stage.isolated(), Client(app, driver=driver, wrap=named_requests) as client:
            three_requests(client)

    return test


def _written(stage: Stage) -> Callable[[], Any]:
    engine = stage.savepoint_engine()
    shop = sync_shop(sessionmaker(engine))

    def test() -> None:
        connection = engine.connect()
        transaction = connection.begin()
        session = Session(bind=connection, join_transaction_mode="create_savepoint")

        def override() -> Iterator[Session]:
            yield session

        shop.app.dependency_overrides[shop.get_db] = override
        with TestClient(shop.app) as client:
            three_requests(client)
        shop.app.dependency_overrides.clear()
        session.close()
        transaction.rollback()
        connection.close()

    return test


def _async_written(stage: Stage) -> Callable[[], Any]:
    """The connection is opened and closed on the TestClient's loop, which is a new one for each test."""
    # A pool cannot survive the loop with asyncpg; with the others it does, which is in the recipe's favour.
    options = {"poolclass": NullPool} if stage.driver.bound_to_loop else {}
    engine = stage.savepoint_engine(**options)
    shop = async_shop(async_sessionmaker(engine))

    async def enter() -> tuple[AsyncConnection, AsyncTransaction, AsyncSession]:
        connection = await engine.connect()
        transaction = await connection.begin()
        session = AsyncSession(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        return connection, transaction, session

    async def leave(connection: AsyncConnection, transaction: AsyncTransaction, session: AsyncSession) -> None:
        await session.close()
        await transaction.rollback()
        await connection.close()

    def test() -> None:
        with TestClient(shop.app) as client:
            portal = client.portal
            assert portal is not None
            opened = portal.call(enter)

            async def override() -> AsyncIterator[AsyncSession]:
                yield opened[2]

            shop.app.dependency_overrides[shop.get_db] = override
            three_requests(client)
            shop.app.dependency_overrides.clear()
            portal.call(leave, *opened)

    return test
