"""The audit trail is kept by an async helper."""

from __future__ import annotations

from fastapi import FastAPI

from sample_app import services
from sample_app.database import AsyncDb, AsyncSessionLocal
from sample_app.models import AuditEvent
from sample_app.routers.parameters import Id

app = FastAPI()


async def record(order_id: int) -> None:
    async with AsyncSessionLocal() as db:
        db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))
        await db.commit()


@app.post("/async/orders/{order_id}/cancel")
async def cancel_order(order_id: Id, db: AsyncDb) -> dict[str, str]:
    await db.run_sync(services.cancel_order, order_id)
    await db.commit()
    await record(order_id)
    return {"status": "cancelled"}
