"""Each order loads its user."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from sample_app.database import AsyncDb, Db
from sample_app.models import Order

app = FastAPI()


def buyers(db: Session) -> list[str]:
    orders = db.scalars(select(Order)).all()
    return [order.user.name for order in orders]  # <- H502, H502 (async)


@app.get("/buyers")
def read_buyers(db: Db) -> list[str]:
    return buyers(db)


@app.get("/async/buyers")
async def read_buyers_async(db: AsyncDb) -> list[str]:
    return await db.run_sync(buyers)
