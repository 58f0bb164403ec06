"""A commit makes it last."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app.database import AsyncDb, Db
from sample_app.models import User
from sample_app.schemas import UserCreate, UserRead

app = FastAPI()


@app.post("/users", status_code=201, response_model=UserRead)
def create_user(data: UserCreate, db: Db) -> User:
    user = User(**data.model_dump())
    db.add(user)
    db.commit()
    db.refresh(user)
    return user


@app.post("/async/users", status_code=201, response_model=UserRead)
async def create_user_async(data: UserCreate, db: AsyncDb) -> User:
    user = User(**data.model_dump())
    db.add(user)
    await db.commit()
    return user
