"""The service opens a session whenever it is asked."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import select

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Item
from sample_app.pitfalls.partners import delivery_days, delivery_days_async

app = FastAPI()


class Stock:
    """Knows how many are left."""

    def left(self, sku: str) -> int | None:
        with SessionLocal() as db:
            return db.scalar(select(Item.stock).where(Item.sku == sku))


class AsyncStock:
    """Knows how many are left."""

    async def left(self, sku: str) -> int | None:
        async with AsyncSessionLocal() as db:
            return await db.scalar(select(Item.stock).where(Item.sku == sku))


stock = Stock()
async_stock = AsyncStock()


@app.get("/availability/{sku}")
def read_availability(sku: str) -> dict[str, int | None]:
    return {"left": stock.left(sku), "days": delivery_days(sku)}


@app.get("/async/availability/{sku}")
async def read_availability_async(sku: str) -> dict[str, int | None]:
    return {"left": await async_stock.left(sku), "days": await delivery_days_async(sku)}
