"""Wrong approach."""
# ruff: noqa: RET504  # the lesson's own words

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import SessionLocal
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()

Session = SessionLocal()  # <- H101


@app.get("/items", response_model=list[ItemRead])
def read_items() -> list[Item]:
    items = Session.query(Item).all()
    return items
