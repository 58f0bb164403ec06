"""The response model loads the user of each order."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from sqlalchemy import select

from sample_app.database import Db
from sample_app.models import Order
from sample_app.schemas import FromModel, UserRead

app = FastAPI()


class OrderSummary(FromModel):
    """An order, and whose it is."""

    id: int
    user: UserRead


@app.get("/orders", response_model=list[OrderSummary])  # <- H503
def read_orders(db: Db) -> Sequence[Order]:
    return db.scalars(select(Order)).all()
