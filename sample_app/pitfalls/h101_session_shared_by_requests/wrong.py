"""The session is a part of the application's state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Item
from sample_app.schemas import ItemRead


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.db = SessionLocal()  # <- H101
    app.state.async_db = AsyncSessionLocal()  # <- H101 (async)
    yield
    app.state.db.close()
    await app.state.async_db.close()


app = FastAPI(lifespan=lifespan)


def get_db(request: Request) -> Session:
    db: Session = request.app.state.db
    return db


async def get_async_db(request: Request) -> AsyncSession:
    db: AsyncSession = request.app.state.async_db
    return db


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Annotated[Session, Depends(get_db)]) -> Sequence[Item]:
    return db.scalars(select(Item)).all()


@app.get("/async/items", response_model=list[ItemRead])
async def read_items_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> Sequence[Item]:
    return (await db.scalars(select(Item))).all()
