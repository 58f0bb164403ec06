"""The rows that every pair finds, and the bodies that it is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sample_app.models import Item, Order, OrderLine, User

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def furnish(session: Session) -> None:
    """Store two users, two items, and an order of each user."""
    ann = User(id=101, email="ann@example.org", name="Ann")
    bob = User(id=102, email="bob@example.org", name="Bob")
    kettle = Item(id=201, sku="kettle", name="Kettle", price=Decimal("12.50"), stock=5)
    cup = Item(id=202, sku="cup", name="Cup", price=Decimal("3.20"), stock=5)
    session.add_all([ann, bob, kettle, cup])
    session.flush()
    session.add(Order(id=301, user_id=ann.id, lines=[OrderLine(item_id=kettle.id, quantity=1)]))
    session.add(Order(id=302, user_id=bob.id, lines=[OrderLine(item_id=cup.id, quantity=2)]))
    session.commit()
