"""`order.user` is loaded with the order."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.orm import joinedload

from sample_app.database import AsyncDb
from sample_app.models import Order
from sample_app.routers.parameters import Id

app = FastAPI()


@app.get("/async/orders/{order_id}/buyer")
async def read_buyer(order_id: Id, db: AsyncDb) -> dict[str, str]:
    order = await db.get_one(Order, order_id, options=[joinedload(Order.user)])
    return {"name": order.user.name}
