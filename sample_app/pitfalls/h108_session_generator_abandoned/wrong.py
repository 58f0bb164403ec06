"""A loop that returns."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncSessionLocal
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db  # <- H108


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user(user_id: Id) -> User:
    async for db in get_session():
        user = await db.get(User, user_id)
        if user is not None:
            return user
    raise HTTPException(404)
