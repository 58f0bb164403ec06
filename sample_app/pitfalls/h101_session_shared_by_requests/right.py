"""The factory is a part of the application's state; the session is the request's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
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
    app.state.sessions = SessionLocal
    app.state.async_sessions = AsyncSessionLocal
    yield


app = FastAPI(lifespan=lifespan)


def get_db(request: Request) -> Iterator[Session]:
    with request.app.state.sessions() as db:
        yield db


async def get_async_db(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.async_sessions() as db:
        yield db


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Annotated[Session, Depends(get_db)]) -> Sequence[Item]:
    return db.scalars(select(Item)).all()


@app.get("/async/items", response_model=list[ItemRead])
async def read_items_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> Sequence[Item]:
    return (await db.scalars(select(Item))).all()
