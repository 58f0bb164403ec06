"""What went well is committed, by whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app import services
from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.schemas import OrderCreate

app = FastAPI()


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


async def get_async_db() -> AsyncIterator[AsyncSession]:
    db = AsyncSessionLocal()
    try:
        yield db
    finally:
        await db.close()


@app.post("/orders", status_code=201)
def take_items(data: OrderCreate, db: Annotated[Session, Depends(get_db)]) -> dict[str, str]:
    for line in data.lines:
        item = services.find_item(db, line.sku)
        if not services.take_stock(db, item.id, line.quantity):
            raise HTTPException(409, f"fewer than {line.quantity} of {line.sku} left")
    db.commit()
    return {"status": "taken"}


@app.post("/async/orders", status_code=201)
async def take_items_async(data: OrderCreate, db: Annotated[AsyncSession, Depends(get_async_db)]) -> dict[str, str]:
    for line in data.lines:
        item = await db.run_sync(services.find_item, line.sku)
        if not await db.run_sync(services.take_stock, item.id, line.quantity):
            raise HTTPException(409, f"fewer than {line.quantity} of {line.sku} left")
    await db.commit()
    return {"status": "taken"}
