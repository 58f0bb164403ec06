"""`begin()` commits when its block ends."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import Update, update

from sample_app.database import async_engine, engine
from sample_app.models import Item

app = FastAPI()


def restock(sku: str) -> Update:
    return update(Item).where(Item.sku == sku).values(stock=Item.stock + 10)


@app.post("/items/{sku}/restock")
def restock_item(sku: str) -> dict[str, str]:
    with engine.begin() as connection:
        connection.execute(restock(sku))
    return {"restocked": sku}


@app.post("/async/items/{sku}/restock")
async def restock_item_async(sku: str) -> dict[str, str]:
    async with async_engine.begin() as connection:
        await connection.execute(restock(sku))
    return {"restocked": sku}
