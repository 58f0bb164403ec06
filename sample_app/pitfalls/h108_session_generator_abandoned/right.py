"""A context manager, which is closed however it is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncSessionLocal
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()


@asynccontextmanager
async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user(user_id: Id) -> User:
    async with get_session() as db:
        user = await db.get(User, user_id)
        if user is not None:
            return user
    raise HTTPException(404)
