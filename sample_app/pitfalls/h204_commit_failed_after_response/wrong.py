"""The database has its first say after the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncSessionLocal, SessionLocal
from sample_app.models import User
from sample_app.schemas import UserCreate

app = FastAPI()


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        db.commit()  # <- H204, H203 (graph)


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db
        await db.commit()  # <- H204 (async), H203 (graph)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, db: Annotated[Session, Depends(get_db)]) -> dict[str, str]:
    db.add(User(**data.model_dump()))
    return {"registered": data.email}


@app.post("/async/users", status_code=201)
async def create_user_async(data: UserCreate, db: Annotated[AsyncSession, Depends(get_async_db)]) -> dict[str, str]:
    db.add(User(**data.model_dump()))
    return {"registered": data.email}
