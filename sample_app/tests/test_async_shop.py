"""The async routes, driven by async tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from sample_app.models import AuditEvent, Item, Order, User
from sample_app.tests.examples import a_user, an_item, an_order

if TYPE_CHECKING:
    from httpx import AsyncClient
    from sqlalchemy.ext.asyncio import AsyncSession

ANN = {"email": "ann@example.org", "name": "Ann"}


async def arrange(session: AsyncSession, stock: int) -> tuple[User, Item]:
    """Store somebody who may order, and so many kettles."""
    user, item = a_user(), an_item("kettle", stock=stock)
    session.add_all([user, item])
    await session.commit()
    await session.refresh(user)
    await session.refresh(item)
    return user, item


@pytest.mark.asyncio
async def test_a_created_user_is_stored(async_client: AsyncClient, async_db_session: AsyncSession) -> None:
    response = await async_client.post("/async/users", json=ANN)

    assert response.status_code == 201
    user = await async_db_session.get_one(User, response.json()["id"])
    assert user.name == "Ann"


@pytest.mark.asyncio
async def test_the_database_works_on_after_a_conflict(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    async_db_session.add(a_user())
    await async_db_session.commit()

    assert (await async_client.post("/async/users", json=ANN)).status_code == 409
    assert (await async_client.post("/async/users", json=ANN | {"email": "bob@example.org"})).status_code == 201
    assert len((await async_client.get("/async/users")).json()) == 2


@pytest.mark.asyncio
async def test_an_item_is_listed_after_it_was_created(async_client: AsyncClient) -> None:
    kettle = {"sku": "kettle", "name": "Kettle", "price": "12.50", "stock": 5}

    assert (await async_client.post("/async/items", json=kettle)).json() == kettle
    assert kettle in (await async_client.get("/async/items")).json()


@pytest.mark.asyncio
async def test_an_order_takes_from_the_stock(async_client: AsyncClient, async_db_session: AsyncSession) -> None:
    ann, kettle = await arrange(async_db_session, stock=5)

    response = await async_client.post("/async/orders", json=an_order(ann.id, kettle=2))

    assert response.status_code == 201
    await async_db_session.refresh(kettle)
    assert kettle.stock == 3


@pytest.mark.asyncio
async def test_an_order_beyond_the_stock_changes_nothing(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    ann, kettle = await arrange(async_db_session, stock=5)

    response = await async_client.post("/async/orders", json=an_order(ann.id, kettle=6))

    assert response.status_code == 409
    await async_db_session.refresh(kettle)
    assert kettle.stock == 5
    assert await async_db_session.scalar(select(func.count(Order.id))) == 0


@pytest.mark.asyncio
async def test_a_cancelled_order_gives_its_items_back(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    ann, kettle = await arrange(async_db_session, stock=5)
    order = (await async_client.post("/async/orders", json=an_order(ann.id, kettle=2))).json()

    response = await async_client.post(f"/async/orders/{order['id']}/cancel")

    assert response.json()["status"] == "cancelled"
    await async_db_session.refresh(kettle)
    assert kettle.stock == 5


@pytest.mark.asyncio
async def test_the_background_task_leaves_an_audit_event(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    ann, _ = await arrange(async_db_session, stock=5)

    order = (await async_client.post("/async/orders", json=an_order(ann.id, kettle=1))).json()

    event = (await async_db_session.scalars(select(AuditEvent))).one()
    assert event.subject == f"order {order['id']}"


@pytest.mark.asyncio
async def test_gathered_orders_all_take_from_the_stock(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    ann, kettle = await arrange(async_db_session, stock=20)
    body = an_order(ann.id, kettle=2)

    responses = await asyncio.gather(*(async_client.post("/async/orders", json=body) for _ in range(8)))

    assert [response.status_code for response in responses] == [201] * 8
    await async_db_session.refresh(kettle)
    assert kettle.stock == 4
    assert await async_db_session.scalar(select(func.count(AuditEvent.id))) == 8


@pytest.mark.asyncio
async def test_gathered_orders_never_sell_what_is_not_there(
    async_client: AsyncClient, async_db_session: AsyncSession
) -> None:
    ann, kettle = await arrange(async_db_session, stock=5)
    body = an_order(ann.id, kettle=1)

    responses = await asyncio.gather(*(async_client.post("/async/orders", json=body) for _ in range(8)))

    assert sorted(response.status_code for response in responses) == [201] * 5 + [409] * 3
    await async_db_session.refresh(kettle)
    assert kettle.stock == 0
