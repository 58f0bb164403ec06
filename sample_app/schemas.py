"""What comes in and what goes out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sample_app.models import OrderStatus

# What a column of type Integer holds on every database.
LARGEST = 2_147_483_647

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Price = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)]
Sku = Annotated[str, Field(min_length=1, max_length=40)]


class FromModel(BaseModel):
    """A view that is read off a model's attributes."""

    model_config = ConfigDict(from_attributes=True)


class UserCreate(BaseModel):
    """A user to be."""

    email: Email
    name: Name


class UserRead(FromModel):
    """A user."""

    id: int
    email: str
    name: str


class ItemCreate(BaseModel):
    """A new item of the catalogue."""

    sku: Sku
    name: Name
    price: Price
    stock: Annotated[int, Field(ge=0, le=LARGEST)] = 0


class ItemRead(FromModel):
    """An item, and how many are left."""

    sku: str
    name: str
    price: Decimal
    stock: int


class OrderedItem(FromModel):
    """An item as an order tells it."""

    sku: str
    name: str
    price: Decimal


class OrderLineCreate(BaseModel):
    """How many of which item."""

    sku: Sku
    quantity: Annotated[int, Field(gt=0, le=LARGEST)]


class OrderLineRead(FromModel):
    """One line of an order."""

    quantity: int
    item: OrderedItem


class OrderCreate(BaseModel):
    """An order to be."""

    user_id: Annotated[int, Field(gt=0, le=LARGEST)]
    lines: Annotated[list[OrderLineCreate], Field(min_length=1)]

    @field_validator("lines")
    @classmethod
    def name_each_item_once(cls, lines: list[OrderLineCreate]) -> list[OrderLineCreate]:
        """Refuse an order that names an item twice."""
        if len({line.sku for line in lines}) < len(lines):
            raise ValueError("an item can be ordered only once per order")
        return lines


class OrderRead(FromModel):
    """An order with its user and its lines."""

    id: int
    status: OrderStatus
    created_at: datetime
    user: UserRead
    lines: list[OrderLineRead]
