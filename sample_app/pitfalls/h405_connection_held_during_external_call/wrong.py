"""The order is read, the parcel service called, and the connection waits."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app import services
from sample_app.database import AsyncDb, Db
from sample_app.pitfalls.partners import async_parcels, parcels
from sample_app.routers.parameters import Id
from sample_app.schemas import OrderRead

app = FastAPI()


@app.post("/orders/{order_id}/ship")
def ship_order(order_id: Id, db: Db) -> dict[str, str]:
    parcel = OrderRead.model_validate(services.find_order(db, order_id)).model_dump(mode="json")
    answer = parcels.post("/parcels", json=parcel)  # <- H405
    return {"parcel": answer.json()["parcel"]}


@app.post("/async/orders/{order_id}/ship")
async def ship_order_async(order_id: Id, db: AsyncDb) -> dict[str, str]:
    parcel = OrderRead.model_validate(await db.run_sync(services.find_order, order_id)).model_dump(mode="json")
    answer = await async_parcels.post("/parcels", json=parcel)  # <- H405 (async)
    return {"parcel": answer.json()["parcel"]}
