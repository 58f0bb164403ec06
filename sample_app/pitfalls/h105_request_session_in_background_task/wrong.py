"""The task is handed the session that is at hand."""

from __future__ import annotations

from fastapi import BackgroundTasks, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app import services
from sample_app.database import AsyncDb, Db
from sample_app.models import AuditEvent
from sample_app.routers.parameters import Id

app = FastAPI()


def record(db: Session, order_id: int) -> None:
    db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))  # <- H105
    db.commit()


async def record_async(db: AsyncSession, order_id: int) -> None:
    db.add(AuditEvent(kind="order.cancelled", subject=f"order {order_id}"))  # <- H105 (async)
    await db.commit()


@app.post("/orders/{order_id}/cancel")
def cancel_order(order_id: Id, db: Db, background: BackgroundTasks) -> dict[str, str]:
    services.cancel_order(db, order_id)
    db.commit()
    background.add_task(record, db, order_id)
    return {"status": "cancelled"}


@app.post("/async/orders/{order_id}/cancel")
async def cancel_order_async(order_id: Id, db: AsyncDb, background: BackgroundTasks) -> dict[str, str]:
    await db.run_sync(services.cancel_order, order_id)
    await db.commit()
    background.add_task(record_async, db, order_id)
    return {"status": "cancelled"}
