"""Wrong approach."""
# ruff: noqa: B008, RET504  # the lesson's own words

from __future__ import annotations

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from sample_app.database import get_db
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


@app.get("/async/items", response_model=list[ItemRead])
async def async_read_items(db: Session = Depends(get_db)) -> list[Item]:
    items = db.query(Item).all()  # <- H301
    return items
