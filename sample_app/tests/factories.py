"""Rows of the shop. None of the factories names a session: each stores in the test's own."""

from __future__ import annotations

from decimal import Decimal

import factory
from factory.alchemy import SQLAlchemyModelFactory

from sample_app.models import Item, Order, OrderLine, User


class UserFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    """Somebody who orders."""

    class Meta:
        model = User

    name = factory.Faker("first_name")
    email = factory.Sequence(lambda n: f"user{n}@example.org")


class ItemFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    """Five of something."""

    class Meta:
        model = Item
        sqlalchemy_get_or_create = ("sku",)

    sku = factory.Sequence(lambda n: f"item-{n}")
    name = factory.LazyAttribute(lambda item: item.sku.title())
    price = Decimal("12.50")
    stock = 5


class LineFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    """One item of an order."""

    class Meta:
        model = OrderLine

    item = factory.SubFactory(ItemFactory)
    quantity = 1


class OrderFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    """An order of two lines."""

    class Meta:
        model = Order

    user = factory.SubFactory(UserFactory)
    lines = factory.RelatedFactoryList(LineFactory, "order", size=2)
