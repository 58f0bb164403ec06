"""`order.user` is loaded with the order."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.orm import joinedload

from sample_app.database import AsyncDb
from sample_app.models import Order
from sample_app.routers.parameters import Id
from sample_app.schemas import FromModel, UserRead

app = FastAPI()


class OrderSummary(FromModel):
    """An order, and whose it is."""

    id: int
    user: UserRead


@app.get("/async/orders/{order_id}", response_model=OrderSummary)
async def read_order(order_id: Id, db: AsyncDb) -> Order:
    return await db.get_one(Order, order_id, options=[joinedload(Order.user)])
