"""Each offer asks a session of its own, and only for as long as it takes to ask."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from sqlalchemy import select

from sample_app.database import AsyncSessionLocal
from sample_app.models import Item
from sample_app.pitfalls.partners import quote, reserve

app = FastAPI()


async def make_offer(sku: str) -> dict[str, int | None]:
    price = await quote(sku)
    async with AsyncSessionLocal() as db:
        left = await db.scalar(select(Item.stock).where(Item.sku == sku))
    await reserve(sku, 1)
    return {"price": price, "left": left}


@app.get("/async/offers")
async def read_offers() -> list[dict[str, int | None]]:
    async with asyncio.TaskGroup() as group:
        offers = [group.create_task(make_offer(sku)) for sku in ("kettle", "cup")]
    return [offer.result() for offer in offers]
