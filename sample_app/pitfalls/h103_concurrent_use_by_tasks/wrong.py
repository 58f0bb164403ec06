"""Both counts at once, in the hope that it is faster."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncDb
from sample_app.models import Order, OrderStatus, User
from sample_app.routers.parameters import Id

app = FastAPI()


async def count_orders(db: AsyncSession, user_id: int, status: OrderStatus) -> int | None:
    orders = select(func.count(Order.id)).where(Order.user_id == user_id, Order.status == status)
    return await db.scalar(orders)  # <- H103


@app.get("/async/users/{user_id}/summary")
async def summarise(user_id: Id, db: AsyncDb) -> dict[str, int | None]:
    user = await db.get_one(User, user_id)
    placed, cancelled = await asyncio.gather(
        count_orders(db, user.id, OrderStatus.PLACED),
        count_orders(db, user.id, OrderStatus.CANCELLED),
    )
    return {"placed": placed, "cancelled": cancelled}
