"""The session is a plain variable."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()


@app.get("/users/{user_id}", response_model=UserRead)
def read_user(user_id: Id) -> User:
    db = SessionLocal()
    return db.get_one(User, user_id)  # <- H401


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user_async(user_id: Id) -> User:
    db = AsyncSessionLocal()
    return await db.get_one(User, user_id)  # <- H401 (async)
