"""What is true of every order, whichever items and quantities it holds: properties, with hypothesis."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from harness.strategies import from_model, rows
from sample_app.models import Item, User
from sample_app.tests.examples import an_order

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

    from harness import AsyncClient

quick = settings(max_examples=25)
# The lifespan has put a catalogue there already, with other SKUs.
skus = st.text("abcdefgh", min_size=1, max_size=30).map(lambda text: f"test-{text}")
an_item = {"sku": skus, "price": st.decimals(0, 1000, places=2), "stock": st.integers(0, 5)}


@quick
@given(user=rows(User), items=st.lists(rows(Item, **an_item), min_size=1, max_size=3), data=st.data())
def test_no_item_is_sold_that_is_not_there(
    client: TestClient, db_session: Session, user: User, items: list[Item], data: st.DataObject
) -> None:
    wanted = {item.sku: data.draw(st.integers(1, 7), item.sku) for item in items}
    before = {item.sku: item.stock for item in items}
    enough = all(wanted[sku] <= before[sku] for sku in wanted)

    response = client.post("/orders", json=an_order(user.id, **wanted))

    assert response.status_code == (201 if enough else 409)
    stock = {item.sku: item.stock for item in db_session.scalars(select(Item).where(Item.sku.in_(wanted)))}
    assert stock == ({sku: before[sku] - wanted[sku] for sku in wanted} if enough else before)


@quick
@given(item=from_model(Item, **an_item))
def test_an_item_is_shown_as_it_was_stored(client: TestClient, db_session: Session, item: Item) -> None:
    db_session.add(item)
    db_session.commit()

    shown = client.get(f"/items/{item.sku}").json()
    assert (shown["name"], Decimal(shown["price"]), shown["stock"]) == (item.name, item.price, item.stock)


@pytest.mark.asyncio
@quick
@given(user=rows(User))
async def test_an_email_is_taken_once(async_client: AsyncClient, user: User) -> None:
    again = {"email": user.email, "name": user.name}

    response = await async_client.post("/users", json=again)

    assert response.status_code in (409, 422)
