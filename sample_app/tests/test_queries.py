"""How many statements the shop needs: lists take as many for twenty rows as for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sample_app.models import Order, OrderLine
from sample_app.tests.examples import a_user, an_item, an_order

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import AsyncClient
    from sqlalchemy.orm import Session

    from harness import AssertQueries


@pytest.fixture
def twenty_orders(db_session: Session) -> None:
    """Orders of twenty users, with two lines each."""
    items = [an_item("kettle", stock=99), an_item("mug", stock=99)]
    db_session.add_all(
        Order(user=a_user(f"u{n}@example.org"), lines=[OrderLine(item=item, quantity=1) for item in items])
        for n in range(20)
    )
    db_session.commit()


@pytest.mark.parametrize("path", ["/orders", "/async/orders"])
@pytest.mark.usefixtures("twenty_orders")
def test_a_list_of_orders_takes_two_queries(client: TestClient, assert_queries: AssertQueries, path: str) -> None:
    with assert_queries(2) as queries:
        assert len(client.get(path).json()) == 20

    assert not queries.lazy_loads


@pytest.mark.asyncio
@pytest.mark.usefixtures("twenty_orders")
async def test_a_list_of_users_takes_one_query(async_client: AsyncClient, assert_queries: AssertQueries) -> None:
    async with assert_queries(1, of="GET /async/users"):
        assert len((await async_client.get("/async/users")).json()) == 20


def test_health_does_not_ask_the_database(client: TestClient, assert_queries: AssertQueries) -> None:
    with assert_queries(0):
        client.get("/health")


@pytest.fixture
def one_kettle(db_session: Session) -> dict[str, Any]:
    """The body of an order that can be fulfilled."""
    ann = a_user()
    db_session.add_all([ann, an_item("kettle", stock=5)])
    db_session.commit()
    return an_order(ann.id, kettle=1)


@pytest.mark.harness(max_queries=8)  # with the audit event, which a background task writes
def test_an_order_stays_cheap(client: TestClient, one_kettle: dict[str, Any]) -> None:
    assert client.post("/orders", json=one_kettle).status_code == 201
