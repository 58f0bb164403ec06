"""Correct approach."""
# ruff: noqa: B008, RET504  # the lesson's own words

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from sample_app.database import SessionLocal
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Session = Depends(get_db)) -> list[Item]:
    items = db.query(Item).all()
    return items
