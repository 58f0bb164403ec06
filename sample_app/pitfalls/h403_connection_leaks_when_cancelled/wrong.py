"""The session is closed if all goes well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncSessionLocal
from sample_app.models import Item
from sample_app.pitfalls.partners import delivery_days_async

app = FastAPI()


async def get_db() -> AsyncIterator[AsyncSession]:
    db = AsyncSessionLocal()
    yield db
    await db.close()


@app.get("/async/availability/{sku}")
async def read_availability(sku: str, db: Annotated[AsyncSession, Depends(get_db)]) -> dict[str, int | None]:
    left = await db.scalar(select(Item.stock).where(Item.sku == sku))  # <- H403
    return {"left": left, "days": await delivery_days_async(sku)}
