"""The account is looked up with the session that the endpoint gets: FastAPI calls `get_db` once per request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import func, select

from sample_app.database import AsyncDb, Db
from sample_app.models import Order, User
from sample_app.routers.parameters import Id

app = FastAPI()


def account(user_id: Id, db: Db) -> User:
    return db.get_one(User, user_id)


async def account_async(user_id: Id, db: AsyncDb) -> User:
    return await db.get_one(User, user_id)


@app.get("/users/{user_id}/orders")
def count_orders(user: Annotated[User, Depends(account)], db: Db) -> dict[str, int | None]:
    return {"orders": db.scalar(select(func.count(Order.id)).where(Order.user_id == user.id))}


@app.get("/async/users/{user_id}/orders")
async def count_orders_async(user: Annotated[User, Depends(account_async)], db: AsyncDb) -> dict[str, int | None]:
    return {"orders": await db.scalar(select(func.count(Order.id)).where(Order.user_id == user.id))}
