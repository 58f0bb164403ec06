"""A catalogue that is made once and shared: each test may buy, change and delete what it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from sample_app.models import Item
from sample_app.tests.examples import an_item

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

TEAS = ("assam", "darjeeling", "earl-grey", "sencha", "lapsang")


@pytest.fixture(scope="module")
def teas(module_db_session: Session) -> list[Item]:
    """Five teas, made once for this module."""
    items = [an_item(sku=sku, stock=10) for sku in TEAS]
    module_db_session.add_all(items)
    return items


def test_every_tea_is_listed(teas: list[Item], client: TestClient) -> None:
    assert {tea.sku for tea in teas} <= {item["sku"] for item in client.get("/items").json()}


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_a_tea_that_one_test_sells_out_is_in_stock_for_the_next(
    teas: list[Item], db_session: Session, attempt: str
) -> None:
    assert teas[0].stock == 10

    teas[0].stock = 0
    db_session.commit()

    assert db_session.scalar(select(func.count(Item.id)).where(Item.stock == 0)) == 1


def test_a_tea_that_is_deleted_is_missed_by_nobody_else(teas: list[Item], db_session: Session) -> None:
    db_session.delete(teas[1])
    db_session.commit()

    assert db_session.scalar(select(func.count(Item.id)).where(Item.sku.in_(TEAS))) == len(TEAS) - 1


@pytest.mark.asyncio
async def test_an_async_test_uses_the_same_teas(teas: list[Item], async_db_session: AsyncSession) -> None:
    teas[2].name = "Earl Grey, de luxe"
    await async_db_session.commit()

    found = await async_db_session.scalars(select(Item.name).where(Item.sku == teas[2].sku))
    assert found.one() == "Earl Grey, de luxe"
