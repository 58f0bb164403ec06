"""The audit trail is kept by the blocking helper, in a thread."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from sample_app import services
from sample_app.database import AsyncDb, SessionLocal
from sample_app.models import AuditEvent
from sample_app.routers.parameters import Id

app = FastAPI()


def record(order_id: int) -> None:
    with SessionLocal() as db:
        db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))
        db.commit()  # <- H304


@app.post("/async/orders/{order_id}/cancel")
async def cancel_order(order_id: Id, db: AsyncDb) -> dict[str, str]:
    await db.run_sync(services.cancel_order, order_id)
    await db.commit()
    await run_in_threadpool(record, order_id)
    return {"status": "cancelled"}
