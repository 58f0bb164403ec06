"""Neither helper keeps the session open."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncSessionLocal, get_db
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()


async def open_session() -> AsyncSession:
    async with AsyncSessionLocal() as db:
        return db


@app.get("/users/{user_id}", response_model=UserRead)
def read_user(user_id: Id) -> User:
    db = next(get_db())
    return db.get_one(User, user_id)  # <- H107


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user_async(user_id: Id) -> User:
    db = await open_session()
    return await db.get_one(User, user_id)  # <- H107 (async)
