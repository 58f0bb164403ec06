"""Users, through the blocking routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from sample_app.models import Order, User
from sample_app.tests.examples import a_user

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

ANN = {"email": "ann@example.org", "name": "Ann"}


def test_a_created_user_is_stored(client: TestClient, db_session: Session) -> None:
    response = client.post("/users", json=ANN)

    assert response.status_code == 201
    assert db_session.get_one(User, response.json()["id"]).name == "Ann"


def test_users_are_listed_in_order_of_arrival(client: TestClient, db_session: Session) -> None:
    db_session.add_all([a_user("zoe@example.org"), a_user("bob@example.org")])
    db_session.commit()

    assert [user["name"] for user in client.get("/users").json()] == ["Zoe", "Bob"]


def test_a_page_of_users_skips_and_stops(client: TestClient, db_session: Session) -> None:
    db_session.add_all([a_user(f"u{n}@example.org") for n in range(4)])
    db_session.commit()

    page = client.get("/users", params={"offset": 1, "limit": 2}).json()

    assert [user["name"] for user in page] == ["U1", "U2"]


@pytest.mark.harness(isolation="rollback")  # one transaction for test and app: no need to commit
def test_a_flushed_user_is_visible_before_the_test_commits(client: TestClient, db_session: Session) -> None:
    ann = a_user()
    db_session.add(ann)
    db_session.flush()

    assert client.get(f"/users/{ann.id}").json()["email"] == ann.email


def test_an_unknown_user_is_not_found(client: TestClient) -> None:
    assert client.get("/users/999").status_code == 404


def test_a_taken_email_is_a_conflict(client: TestClient, db_session: Session) -> None:
    db_session.add(a_user())
    db_session.commit()

    response = client.post("/users", json=ANN)

    assert response.status_code == 409
    assert response.json() == {"detail": "the email ann@example.org is taken"}


def test_the_database_works_on_after_a_conflict(client: TestClient, db_session: Session) -> None:
    client.post("/users", json=ANN)
    assert client.post("/users", json=ANN).status_code == 409

    assert client.post("/users", json=ANN | {"email": "bob@example.org"}).status_code == 201
    assert db_session.scalar(select(func.count(User.id))) == 2


def test_a_user_without_orders_can_go(client: TestClient, db_session: Session) -> None:
    ann = a_user()
    db_session.add(ann)
    db_session.commit()

    assert client.delete(f"/users/{ann.id}").status_code == 204
    assert db_session.scalar(select(func.count(User.id))) == 0


def test_a_user_with_orders_stays(client: TestClient, db_session: Session) -> None:
    ann = a_user()
    db_session.add(Order(user=ann))
    db_session.commit()

    assert client.delete(f"/users/{ann.id}").status_code == 409
    db_session.refresh(ann)
    assert len(ann.orders) == 1
