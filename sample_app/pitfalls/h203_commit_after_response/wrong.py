"""The dependency commits, so that no endpoint can forget to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import User
from sample_app.schemas import UserCreate, UserRead

app = FastAPI()


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        db.commit()  # <- H203


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db
        await db.commit()  # <- H203 (async)


@app.post("/users", status_code=201, response_model=UserRead)
def create_user(data: UserCreate, db: Annotated[Session, Depends(get_db)]) -> User:
    user = User(**data.model_dump())
    db.add(user)
    db.flush()
    return user


@app.post("/async/users", status_code=201, response_model=UserRead)
async def create_user_async(data: UserCreate, db: Annotated[AsyncSession, Depends(get_async_db)]) -> User:
    user = User(**data.model_dump())
    db.add(user)
    await db.flush()
    return user
