"""All steps are committed together."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field

from sample_app import services
from sample_app.database import AsyncDb, Db
from sample_app.models import Order, User
from sample_app.schemas import LARGEST, Email, Sku

app = FastAPI()


class GuestOrder(BaseModel):
    """What somebody without an account wants."""

    email: Email
    sku: Sku
    quantity: Annotated[int, Field(gt=0, le=LARGEST)]


@app.post("/guests/orders", status_code=201)
def order_as_guest(data: GuestOrder, db: Db) -> dict[str, str]:
    guest = User(email=data.email, name="Guest")
    db.add(guest)
    db.flush()
    db.add(Order(user_id=guest.id))
    db.flush()
    item = services.find_item(db, data.sku)
    item.stock -= data.quantity
    db.commit()
    return {"status": "ordered"}


@app.post("/async/guests/orders", status_code=201)
async def order_as_guest_async(data: GuestOrder, db: AsyncDb) -> dict[str, str]:
    guest = User(email=data.email, name="Guest")
    db.add(guest)
    await db.flush()
    db.add(Order(user_id=guest.id))
    await db.flush()
    item = await db.run_sync(services.find_item, data.sku)
    item.stock -= data.quantity
    await db.commit()
    return {"status": "ordered"}
