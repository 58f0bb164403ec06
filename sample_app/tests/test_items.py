"""The catalogue: written on the primary, read from the replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from sample_app.models import Item
from sample_app.services import HOUSE_BLEND
from sample_app.tests.examples import an_item

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

KETTLE = {"sku": "kettle", "name": "Kettle", "price": "12.5", "stock": 5}


def test_the_catalogue_starts_with_the_house_blend(client: TestClient) -> None:
    assert [item["sku"] for item in client.get("/items").json()] == [HOUSE_BLEND]


def test_the_house_blend_is_seeded_once(client: TestClient, db_session: Session) -> None:
    assert client.get("/health").json() == {"status": "ok"}

    assert db_session.scalar(select(func.count(Item.id)).where(Item.sku == HOUSE_BLEND)) == 1


def test_a_created_item_is_answered_as_it_is_stored(client: TestClient, db_session: Session) -> None:
    response = client.post("/items", json=KETTLE)

    assert response.status_code == 201
    assert response.json() == KETTLE | {"price": "12.50"}
    assert db_session.scalars(select(Item.stock).where(Item.sku == "kettle")).one() == 5


def test_the_read_session_sees_what_the_write_session_wrote(client: TestClient) -> None:
    created = client.post("/items", json=KETTLE).json()

    assert client.get("/items/kettle").json() == created


def test_the_read_session_sees_what_the_test_wrote(client: TestClient, db_session: Session) -> None:
    db_session.add(an_item("mug", stock=1))
    db_session.commit()

    assert [item["sku"] for item in client.get("/items").json()] == [HOUSE_BLEND, "mug"]


def test_a_taken_sku_is_a_conflict_and_changes_nothing(client: TestClient, db_session: Session) -> None:
    kettle = an_item("kettle", stock=5)
    db_session.add(kettle)
    db_session.commit()

    assert client.post("/items", json=KETTLE | {"stock": 9}).status_code == 409
    db_session.refresh(kettle)
    assert kettle.stock == 5
