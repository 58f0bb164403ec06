"""The dependency makes all that it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from sample_app.database import settings
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


def get_db() -> Iterator[Session]:
    engine = create_engine(settings.url, pool_size=10, max_overflow=30)  # <- H406
    with Session(engine) as db:
        yield db


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async_engine = create_async_engine(settings.async_url, pool_size=10, max_overflow=30)  # <- H406 (async)
    async with AsyncSession(async_engine, expire_on_commit=False) as db:
        yield db


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Annotated[Session, Depends(get_db)]) -> Sequence[Item]:
    return db.scalars(select(Item)).all()


@app.get("/async/items", response_model=list[ItemRead])
async def read_items_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> Sequence[Item]:
    return (await db.scalars(select(Item))).all()
