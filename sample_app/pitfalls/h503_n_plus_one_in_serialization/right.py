"""The orders come with their users."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sample_app.database import Db
from sample_app.models import Order
from sample_app.schemas import FromModel, UserRead

app = FastAPI()


class OrderSummary(FromModel):
    """An order, and whose it is."""

    id: int
    user: UserRead


@app.get("/orders", response_model=list[OrderSummary])
def read_orders(db: Db) -> Sequence[Order]:
    return db.scalars(select(Order).options(joinedload(Order.user))).all()
