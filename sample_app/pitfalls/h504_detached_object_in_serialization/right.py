"""The order leaves the block with its user."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.orm import joinedload

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Order
from sample_app.routers.parameters import Id
from sample_app.schemas import FromModel, UserRead

app = FastAPI()


class OrderSummary(FromModel):
    """An order, and whose it is."""

    id: int
    user: UserRead


@app.get("/orders/{order_id}", response_model=OrderSummary)
def read_order(order_id: Id) -> Order:
    with SessionLocal() as db:
        return db.get_one(Order, order_id, options=[joinedload(Order.user)])


@app.get("/async/orders/{order_id}", response_model=OrderSummary)
async def read_order_async(order_id: Id) -> Order:
    async with AsyncSessionLocal() as db:
        return await db.get_one(Order, order_id, options=[joinedload(Order.user)])
