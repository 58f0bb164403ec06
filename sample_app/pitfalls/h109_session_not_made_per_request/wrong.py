"""Three ways to hand over a session that is nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import Item, User
from sample_app.routers.parameters import Id
from sample_app.schemas import ItemRead, UserRead

app = FastAPI()


@lru_cache
def get_db() -> Session:  # <- H109 (graph)
    return SessionLocal()


def find_items(db: Session = SessionLocal()) -> Sequence[Item]:  # noqa: B008  # <- H109 (graph)
    return db.scalars(select(Item)).all()


@app.get("/users/{user_id}", response_model=UserRead)
def read_user(user_id: Id, db: Annotated[Session, Depends(SessionLocal)]) -> User:  # <- H109 (graph)
    return db.get_one(User, user_id)


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user_async(
    user_id: Id,
    db: Annotated[AsyncSession, Depends(AsyncSessionLocal)],  # <- H109 (graph)
) -> User:
    return await db.get_one(User, user_id)


@app.get("/users", response_model=list[UserRead])
def read_users(db: Annotated[Session, Depends(get_db)]) -> Sequence[User]:
    return db.scalars(select(User)).all()


@app.get("/items", response_model=list[ItemRead])
def read_items() -> Sequence[Item]:
    return find_items()
