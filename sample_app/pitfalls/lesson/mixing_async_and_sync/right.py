"""Correct approach: an async session, or the blocking one in a thread."""
# ruff: noqa: B008, RET504  # the lesson's own words

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import get_async_db, get_db
from sample_app.models import Item
from sample_app.schemas import ItemRead

app = FastAPI()


@app.get("/async/items", response_model=list[ItemRead])
async def async_read_items(db: AsyncSession = Depends(get_async_db)) -> Sequence[Item]:
    items = (await db.scalars(select(Item))).all()
    return items


@app.get("/async/items/in-a-thread", response_model=list[ItemRead])
async def async_read_items_in_a_thread(db: Session = Depends(get_db)) -> list[Item]:
    items = await run_in_threadpool(db.query(Item).all)
    return items
