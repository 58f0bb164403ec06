"""The transaction ends when it is no longer needed."""

from __future__ import annotations

from fastapi import BackgroundTasks, FastAPI

from sample_app import audit
from sample_app.database import AsyncDb, Db
from sample_app.models import Order
from sample_app.routers.parameters import Id

app = FastAPI()


@app.post("/orders/{order_id}/reminder", status_code=202)
def remind(order_id: Id, db: Db, background: BackgroundTasks) -> dict[str, str]:
    order = db.get_one(Order, order_id)
    background.add_task(audit.record, "order.reminder", f"order {order.id}")
    db.commit()
    return {"status": "on its way"}


@app.post("/async/orders/{order_id}/reminder", status_code=202)
async def remind_async(order_id: Id, db: AsyncDb, background: BackgroundTasks) -> dict[str, str]:
    order = await db.get_one(Order, order_id)
    background.add_task(audit.record_async, "order.reminder", f"order {order.id}")
    await db.commit()
    return {"status": "on its way"}
