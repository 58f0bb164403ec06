"""What the database itself refuses, on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from sample_app.models import Item, Order, OrderLine, User
from sample_app.tests.examples import a_user, an_item

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session


def test_an_order_needs_a_user_who_exists(db_session: Session) -> None:
    db_session.add(Order(user_id=999))

    with pytest.raises(IntegrityError):
        db_session.commit()


@pytest.mark.asyncio
async def test_an_order_needs_a_user_who_exists_in_async_too(async_db_session: AsyncSession) -> None:
    async_db_session.add(Order(user_id=999))

    with pytest.raises(IntegrityError):
        await async_db_session.commit()


def test_stock_cannot_go_below_zero(db_session: Session) -> None:
    db_session.add(an_item(stock=-1))

    with pytest.raises(DBAPIError, match="stock_not_negative"):  # MariaDB's driver does not call it an IntegrityError
        db_session.flush()


def test_an_order_takes_its_lines_along(db_session: Session) -> None:
    order = Order(user=a_user(), lines=[OrderLine(item=an_item(), quantity=1)])
    db_session.add(order)
    db_session.commit()

    db_session.delete(order)
    db_session.commit()

    assert db_session.scalar(select(func.count(OrderLine.id))) == 0
    assert db_session.scalar(select(func.count(User.id))) == 1


def test_a_nested_transaction_can_fail_alone(db_session: Session) -> None:
    db_session.add(an_item("kettle"))
    db_session.flush()

    with pytest.raises(IntegrityError), db_session.begin_nested():
        db_session.add(an_item("kettle"))
    db_session.commit()

    assert db_session.scalar(select(func.count(Item.id)).where(Item.sku == "kettle")) == 1
