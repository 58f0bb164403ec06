"""The task opens a session of its own."""

from __future__ import annotations

from fastapi import BackgroundTasks, FastAPI

from sample_app import services
from sample_app.database import AsyncDb, AsyncSessionLocal, Db, SessionLocal
from sample_app.models import AuditEvent
from sample_app.routers.parameters import Id

app = FastAPI()


def record(order_id: int) -> None:
    with SessionLocal() as db:
        db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))
        db.commit()


async def record_async(order_id: int) -> None:
    async with AsyncSessionLocal() as db:
        db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))
        await db.commit()


@app.post("/orders/{order_id}/cancel")
def cancel_order(order_id: Id, db: Db, background: BackgroundTasks) -> dict[str, str]:
    services.cancel_order(db, order_id)
    db.commit()
    background.add_task(record, order_id)
    return {"status": "cancelled"}


@app.post("/async/orders/{order_id}/cancel")
async def cancel_order_async(order_id: Id, db: AsyncDb, background: BackgroundTasks) -> dict[str, str]:
    await db.run_sync(services.cancel_order, order_id)
    await db.commit()
    background.add_task(record_async, order_id)
    return {"status": "cancelled"}
