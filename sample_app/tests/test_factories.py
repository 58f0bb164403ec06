"""Rows from factories: declared ones, and those that harness makes from the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import harness
from sample_app.models import OrderLine
from sample_app.tests.factories import ItemFactory, OrderFactory, UserFactory

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import AsyncClient
    from sqlalchemy.orm import Session


def test_an_order_from_a_factory_is_listed(client: TestClient, db_session: Session) -> None:
    order = OrderFactory(user__name="Ann")

    (listed,) = client.get("/orders").json()

    assert listed["user"]["name"] == "Ann"
    assert [line["item"]["sku"] for line in listed["lines"]] == [line.item.sku for line in order.lines]


def test_an_item_that_is_there_is_not_made_again(client: TestClient, db_session: Session) -> None:
    assert ItemFactory(sku="mug") is ItemFactory(sku="mug")

    assert [item["sku"] for item in client.get("/items").json()].count("mug") == 1


def test_a_row_without_a_factory_of_its_own(client: TestClient, db_session: Session) -> None:
    line = harness.factory(OrderLine)(quantity=2, order__user__name="Ann")

    (listed,) = client.get("/orders").json()

    assert listed["user"]["name"] == "Ann"
    assert listed["lines"][0]["item"]["sku"] == line.item.sku


@pytest.mark.asyncio
async def test_users_made_by_an_async_test(async_client: AsyncClient) -> None:
    users = await harness.create_batch(UserFactory, 3)

    listed = (await async_client.get("/async/users")).json()

    assert [user["email"] for user in listed] == [user.email for user in users]
