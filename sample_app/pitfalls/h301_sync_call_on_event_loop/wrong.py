"""`async def`, because it is modern."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from sqlalchemy import select

from sample_app.database import Db
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


@app.get("/async/items/{sku}", response_model=ItemRead)
async def read_item(sku: str, db: Db) -> Item:
    item = db.scalar(select(Item).where(Item.sku == sku))  # <- H301
    if item is None:
        raise HTTPException(404)
    return item
