"""A blocking test drives async routes, an async test drives blocking ones, and threads share the client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from sample_app.models import AuditEvent, Order, User
from sample_app.tests.examples import a_user, an_item, an_order

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import AsyncClient
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session


def test_a_blocking_test_on_async_routes(client: TestClient, db_session: Session) -> None:
    ann, kettle = a_user(), an_item("kettle", stock=5)
    db_session.add_all([ann, kettle])
    db_session.commit()

    assert client.post("/async/orders", json=an_order(ann.id, kettle=2)).status_code == 201
    assert client.post("/async/orders", json=an_order(ann.id, kettle=4)).status_code == 409
    db_session.refresh(kettle)
    assert kettle.stock == 3
    assert db_session.scalars(select(AuditEvent.kind)).all() == ["order.placed"]


@pytest.mark.asyncio
async def test_an_async_test_on_blocking_routes(async_client: AsyncClient, async_db_session: AsyncSession) -> None:
    async_db_session.add(an_item("kettle", stock=5))
    await async_db_session.commit()
    ann = (await async_client.post("/users", json={"email": "ann@example.org", "name": "Ann"})).json()

    assert (await async_client.post("/orders", json=an_order(ann["id"], kettle=2))).status_code == 201
    assert (await async_client.post("/orders", json=an_order(ann["id"], kettle=4))).status_code == 409
    assert (await async_client.get("/items/kettle")).json()["stock"] == 3
    assert await async_db_session.scalar(select(func.count(Order.id))) == 1


def test_blocking_and_async_routes_share_the_data(client: TestClient) -> None:
    blocking = client.post("/users", json={"email": "ann@example.org", "name": "Ann"}).json()
    waiting = client.post("/async/users", json={"email": "bob@example.org", "name": "Bob"}).json()

    assert client.get("/users").json() == client.get("/async/users").json() == [blocking, waiting]


def test_a_conflict_across_the_two_kinds_of_route(client: TestClient, db_session: Session) -> None:
    ann = {"email": "ann@example.org", "name": "Ann"}

    assert client.post("/users", json=ann).status_code == 201
    assert client.post("/async/users", json=ann).status_code == 409
    assert db_session.scalar(select(func.count(User.id))) == 1


@pytest.mark.parametrize("path", ["/orders", "/async/orders"])
def test_twelve_threads_sell_ten_kettles(client: TestClient, db_session: Session, path: str) -> None:
    ann, kettle = a_user(), an_item("kettle", stock=10)
    db_session.add_all([ann, kettle])
    db_session.commit()
    body = an_order(ann.id, kettle=1)

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(lambda _: client.post(path, json=body).status_code, range(12)))

    assert statuses == [201] * 10 + [409] * 2
    db_session.refresh(kettle)
    assert kettle.stock == 0
    assert db_session.scalar(select(func.count(Order.id))) == 10
