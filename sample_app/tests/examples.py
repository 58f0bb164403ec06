"""Rows and request bodies that the tests share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sample_app.models import Item, User


def a_user(email: str = "ann@example.org") -> User:
    """Return a user who is not stored yet."""
    return User(email=email, name=email.partition("@")[0].title())


def an_item(sku: str = "kettle", stock: int = 5) -> Item:
    """Return an item that is not stored yet."""
    return Item(sku=sku, name=sku.title(), price=Decimal("12.50"), stock=stock)


def an_order(user_id: int, **quantities: int) -> dict[str, Any]:
    """Return the body of an order, such as `an_order(1, kettle=2)`."""
    return {"user_id": user_id, "lines": [{"sku": sku, "quantity": many} for sku, many in quantities.items()]}
