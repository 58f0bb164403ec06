"""Correct approach."""
# ruff: noqa: B008  # the lesson's own words

from __future__ import annotations

from decimal import Decimal

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from sample_app.database import get_db
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


@app.post("/items", status_code=201, response_model=ItemRead)
def create_item(db: Session = Depends(get_db)) -> Item:
    item = Item(name="New", sku="new", price=Decimal("1.00"), stock=1)
    db.add(item)
    db.commit()
    db.refresh(item)
    return item
