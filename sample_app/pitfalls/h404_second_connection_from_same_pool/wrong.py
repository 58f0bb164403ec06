"""The account is looked up with a session of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app.database import AsyncDb, AsyncSessionLocal, Db, SessionLocal
from sample_app.models import Order, User
from sample_app.routers.parameters import Id

app = FastAPI()


def get_accounts() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


async def get_async_accounts() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


Accounts = Annotated[Session, Depends(get_accounts)]
AsyncAccounts = Annotated[AsyncSession, Depends(get_async_accounts)]


def account(user_id: Id, db: Accounts) -> User:
    return db.get_one(User, user_id)


async def account_async(user_id: Id, db: AsyncAccounts) -> User:
    return await db.get_one(User, user_id)


@app.get("/users/{user_id}/orders")
def count_orders(user: Annotated[User, Depends(account)], db: Db) -> dict[str, int | None]:
    return {"orders": db.scalar(select(func.count(Order.id)).where(Order.user_id == user.id))}  # <- H404


@app.get("/async/users/{user_id}/orders")
async def count_orders_async(user: Annotated[User, Depends(account_async)], db: AsyncDb) -> dict[str, int | None]:
    return {"orders": await db.scalar(select(func.count(Order.id)).where(Order.user_id == user.id))}  # <- H404 (async)
