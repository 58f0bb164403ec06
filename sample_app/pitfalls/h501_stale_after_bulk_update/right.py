"""The session synchronises its objects with what the statement changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import Update, update
from sqlalchemy.orm import Session, sessionmaker

from sample_app import services
from sample_app.database import AsyncDb, engine
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()

SessionLocal = sessionmaker(engine, expire_on_commit=False)


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


def sell_one(sku: str) -> Update:
    return update(Item).where(Item.sku == sku).values(stock=Item.stock - 1)


@app.post("/items/{sku}/sell", response_model=ItemRead)
def sell_item(sku: str, db: Annotated[Session, Depends(get_db)]) -> Item:
    item = services.find_item(db, sku)
    db.execute(sell_one(sku))
    db.commit()
    return item


@app.post("/async/items/{sku}/sell", response_model=ItemRead)
async def sell_item_async(sku: str, db: AsyncDb) -> Item:
    item = await db.run_sync(services.find_item, sku)
    await db.execute(sell_one(sku))
    await db.commit()
    return item
