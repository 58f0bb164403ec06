"""The order leaves the block, and would load its user when it is touched."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Order
from sample_app.routers.parameters import Id

app = FastAPI()


@app.get("/orders/{order_id}/buyer")
def read_buyer(order_id: Id) -> dict[str, str]:
    with SessionLocal() as db:
        order = db.get_one(Order, order_id)
    return {"name": order.user.name}  # <- H504


@app.get("/async/orders/{order_id}/buyer")
async def read_buyer_async(order_id: Id) -> dict[str, str]:
    async with AsyncSessionLocal() as db:
        order = await db.get_one(Order, order_id)
    return {"name": order.user.name}  # <- H504 (async)
