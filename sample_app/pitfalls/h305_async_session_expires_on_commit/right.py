"""Nothing expires."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from sample_app.database import async_engine
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()

AsyncSessionLocal = async_sessionmaker(async_engine, expire_on_commit=False)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user(user_id: Id, db: Annotated[AsyncSession, Depends(get_db)]) -> User:
    return await db.get_one(User, user_id)
