"""Assigning is taken for saving."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

from sample_app import services
from sample_app.database import AsyncDb, Db
from sample_app.models import Item
from sample_app.schemas import ItemRead, Price

app = FastAPI()


class NewPrice(BaseModel):
    """What an item shall cost."""

    price: Price


@app.put("/items/{sku}/price", response_model=ItemRead)  # <- H202
def change_price(sku: str, data: NewPrice, db: Db) -> Item:
    item = services.find_item(db, sku)
    item.price = data.price
    return item


@app.put("/async/items/{sku}/price", response_model=ItemRead)  # <- H202 (async)
async def change_price_async(sku: str, data: NewPrice, db: AsyncDb) -> Item:
    item = await db.run_sync(services.find_item, sku)
    item.price = data.price
    return item
