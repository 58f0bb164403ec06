"""A generator that makes one session per request, and closes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import SessionLocal, get_async_db
from sample_app.models import Item, User
from sample_app.routers.parameters import Id
from sample_app.schemas import ItemRead, UserRead

app = FastAPI()


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


def find_items(db: Session) -> Sequence[Item]:
    return db.scalars(select(Item)).all()


@app.get("/users/{user_id}", response_model=UserRead)
def read_user(user_id: Id, db: Annotated[Session, Depends(get_db)]) -> User:
    return db.get_one(User, user_id)


@app.get("/async/users/{user_id}", response_model=UserRead)
async def read_user_async(
    user_id: Id,
    db: Annotated[AsyncSession, Depends(get_async_db)],
) -> User:
    return await db.get_one(User, user_id)


@app.get("/users", response_model=list[UserRead])
def read_users(db: Annotated[Session, Depends(get_db)]) -> Sequence[User]:
    return db.scalars(select(User)).all()


@app.get("/items", response_model=list[ItemRead])
def read_items(db: Annotated[Session, Depends(get_db)]) -> Sequence[Item]:
    return find_items(db)
