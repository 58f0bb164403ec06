"""FastAPI drives the dependency: it closes the session when the request is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncSessionLocal, get_db
from sample_app.models import User
from sample_app.routers.parameters import Id
from sample_app.schemas import UserRead

app = FastAPI()


async def open_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


@app.get("/users/{user_id}", response_model=UserRead)
def read_user(user_id: Id, db: Annotated[Session, Depends(get_db)]) -> User:
    return db.get_one(User, user_id)


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user_async(user_id: Id, db: Annotated[AsyncSession, Depends(open_session)]) -> User:
    return await db.get_one(User, user_id)
