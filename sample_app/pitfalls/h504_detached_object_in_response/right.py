"""The order leaves the block with its user."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.orm import joinedload

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Order
from sample_app.routers.parameters import Id

app = FastAPI()


@app.get("/orders/{order_id}/buyer")
def read_buyer(order_id: Id) -> dict[str, str]:
    with SessionLocal() as db:
        order = db.get_one(Order, order_id, options=[joinedload(Order.user)])
    return {"name": order.user.name}


@app.get("/async/orders/{order_id}/buyer")
async def read_buyer_async(order_id: Id) -> dict[str, str]:
    async with AsyncSessionLocal() as db:
        order = await db.get_one(Order, order_id, options=[joinedload(Order.user)])
    return {"name": order.user.name}
