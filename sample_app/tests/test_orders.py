"""Orders, through the blocking routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from sample_app.models import AuditEvent, Item, Order, OrderLine, OrderStatus, User
from sample_app.tests.examples import a_user, an_item, an_order

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session


@pytest.fixture
def ann(db_session: Session) -> User:
    """Somebody who may order."""
    user = a_user()
    db_session.add(user)
    db_session.commit()
    return user


@pytest.fixture
def kettle(db_session: Session) -> Item:
    """Five kettles."""
    item = an_item("kettle", stock=5)
    db_session.add(item)
    db_session.commit()
    return item


def test_an_order_takes_from_the_stock(client: TestClient, db_session: Session, ann: User, kettle: Item) -> None:
    response = client.post("/orders", json=an_order(ann.id, kettle=2))

    assert response.status_code == 201
    db_session.refresh(kettle)
    assert kettle.stock == 3


def test_an_order_is_answered_with_its_user_and_lines(client: TestClient, ann: User, kettle: Item) -> None:
    order = client.post("/orders", json=an_order(ann.id, kettle=2)).json()

    assert order["status"] == "placed"
    assert order["user"]["email"] == ann.email
    assert order["lines"] == [{"quantity": 2, "item": {"sku": "kettle", "name": "Kettle", "price": "12.50"}}]
    assert client.get(f"/orders/{order['id']}").json() == order


def test_a_stored_order_can_be_walked_both_ways(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    client.post("/orders", json=an_order(ann.id, kettle=2))

    db_session.refresh(ann)
    (order,) = ann.orders
    assert [line.item for line in order.lines] == [kettle]
    assert [line.order.user for line in kettle.lines] == [ann]


def test_orders_are_listed(client: TestClient, ann: User, kettle: Item) -> None:
    for quantity in (1, 2):
        client.post("/orders", json=an_order(ann.id, kettle=quantity))

    orders = client.get("/orders").json()
    assert [line["quantity"] for order in orders for line in order["lines"]] == [1, 2]


def test_an_order_beyond_the_stock_changes_nothing(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    response = client.post("/orders", json=an_order(ann.id, kettle=6))

    assert response.status_code == 409
    assert response.json() == {"detail": "fewer than 6 of kettle left"}
    db_session.refresh(kettle)
    assert kettle.stock == 5
    assert db_session.scalar(select(func.count(Order.id))) == 0


def test_a_line_that_fails_gives_the_other_lines_back(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    db_session.add(an_item("mug", stock=1))
    db_session.commit()

    assert client.post("/orders", json=an_order(ann.id, kettle=2, mug=2)).status_code == 409
    db_session.refresh(kettle)
    assert kettle.stock == 5
    assert db_session.scalar(select(func.count(OrderLine.id))) == 0


def test_the_shop_sells_on_after_a_refusal(client: TestClient, db_session: Session, ann: User, kettle: Item) -> None:
    assert client.post("/orders", json=an_order(ann.id, kettle=6)).status_code == 409
    assert client.post("/orders", json=an_order(ann.id, kettle=4)).status_code == 201

    db_session.refresh(kettle)
    assert kettle.stock == 1


def test_an_unknown_item_is_not_found(client: TestClient, ann: User, kettle: Item) -> None:
    response = client.post("/orders", json=an_order(ann.id, kettle=1, teapot=1))

    assert response.status_code == 404
    assert response.json() == {"detail": "no item teapot"}


def test_an_item_named_twice_is_refused(client: TestClient, ann: User, kettle: Item) -> None:
    body = an_order(ann.id, kettle=1)
    body["lines"] *= 2

    assert client.post("/orders", json=body).status_code == 422


def test_a_cancelled_order_gives_its_items_back(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    order = client.post("/orders", json=an_order(ann.id, kettle=2)).json()

    assert client.post(f"/orders/{order['id']}/cancel").json()["status"] == "cancelled"
    db_session.refresh(kettle)
    assert kettle.stock == 5


def test_a_shipped_order_cannot_be_cancelled(client: TestClient, db_session: Session, ann: User) -> None:
    order = Order(user=ann, status=OrderStatus.SHIPPED)
    db_session.add(order)
    db_session.commit()

    assert client.post(f"/orders/{order.id}/cancel").status_code == 409
    db_session.refresh(order)
    assert order.status is OrderStatus.SHIPPED


def test_the_background_task_leaves_an_audit_event(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    order = client.post("/orders", json=an_order(ann.id, kettle=1)).json()

    event = db_session.scalars(select(AuditEvent)).one()
    assert (event.kind, event.subject) == ("order.placed", f"order {order['id']}")


def test_a_refused_order_leaves_no_audit_event(
    client: TestClient, db_session: Session, ann: User, kettle: Item
) -> None:
    client.post("/orders", json=an_order(ann.id, kettle=6))

    assert db_session.scalar(select(func.count(AuditEvent.id))) == 0
