"""Time that goes on between requests, and ids that no other table has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sample_app.models import AuditEvent, Order
from sample_app.tests.examples import a_user, an_item, an_order

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import AsyncClient
    from sqlalchemy.orm import Session


@pytest.mark.harness(now="advancing")
def test_the_audit_trail_is_in_order(client: TestClient, db_session: Session) -> None:
    user = a_user()
    db_session.add_all([user, an_item("kettle")])
    db_session.commit()

    order = client.post("/orders", json=an_order(user.id, kettle=1)).json()
    client.post(f"/orders/{order['id']}/cancel")

    trail = select(AuditEvent.kind).where(AuditEvent.kind.startswith("order")).order_by(AuditEvent.created_at)
    assert db_session.scalars(trail).all() == ["order.placed", "order.cancelled"]


@pytest.mark.asyncio
@pytest.mark.harness(now="advancing")
async def test_a_later_order_is_later(async_client: AsyncClient, db_session: Session) -> None:
    user = a_user()
    db_session.add_all([user, an_item("kettle")])
    db_session.commit()

    placed = [(await async_client.post("/async/orders", json=an_order(user.id, kettle=1))).json() for _ in range(2)]

    newest = select(Order.id).order_by(Order.created_at.desc())
    assert db_session.scalars(newest).all() == [placed[1]["id"], placed[0]["id"]]


@pytest.mark.harness(ids="distinct")
def test_a_users_id_is_no_orders(client: TestClient, db_session: Session) -> None:
    user = a_user()
    db_session.add_all([user, an_item("kettle")])
    db_session.commit()
    client.post("/orders", json=an_order(user.id, kettle=1))

    assert client.get(f"/users/{user.id}").status_code == 200
    assert client.get(f"/orders/{user.id}").status_code == 404
