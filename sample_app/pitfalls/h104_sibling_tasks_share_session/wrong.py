"""All offers ask the request's session."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncDb
from sample_app.models import Item
from sample_app.pitfalls.partners import quote, reserve

app = FastAPI()


async def make_offer(sku: str, db: AsyncSession) -> dict[str, int | None]:
    price = await quote(sku)
    left = await db.scalar(select(Item.stock).where(Item.sku == sku))  # <- H104
    await reserve(sku, 1)
    return {"price": price, "left": left}


@app.get("/async/offers")
async def read_offers(db: AsyncDb) -> list[dict[str, int | None]]:
    async with asyncio.TaskGroup() as group:
        offers = [group.create_task(make_offer(sku, db)) for sku in ("kettle", "cup")]
    return [offer.result() for offer in offers]
