"""The service opens a session when it is made, which is once."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import select

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Item
from sample_app.pitfalls.partners import delivery_days, delivery_days_async

app = FastAPI()


class Stock:
    """Knows how many are left."""

    def __init__(self) -> None:
        self.db = SessionLocal()  # <- H102

    def left(self, sku: str) -> int | None:
        return self.db.scalar(select(Item.stock).where(Item.sku == sku))


class AsyncStock:
    """Knows how many are left."""

    def __init__(self) -> None:
        self.db = AsyncSessionLocal()  # <- H102 (async)

    async def left(self, sku: str) -> int | None:
        return await self.db.scalar(select(Item.stock).where(Item.sku == sku))


stock = Stock()
async_stock = AsyncStock()


@app.get("/availability/{sku}")
def read_availability(sku: str) -> dict[str, int | None]:
    return {"left": stock.left(sku), "days": delivery_days(sku)}


@app.get("/async/availability/{sku}")
async def read_availability_async(sku: str) -> dict[str, int | None]:
    return {"left": await async_stock.left(sku), "days": await delivery_days_async(sku)}
