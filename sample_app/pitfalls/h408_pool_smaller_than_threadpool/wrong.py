"""A few connections, to be kind to the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from sample_app.database import settings
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()

engine = create_engine(settings.url, pool_size=5, max_overflow=0)  # <- H408 (graph)
SessionLocal = sessionmaker(engine)


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Annotated[Session, Depends(get_db)]) -> Sequence[Item]:
    return db.scalars(select(Item)).all()
