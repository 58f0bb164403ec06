"""The label is printed, and recorded, with the session that the request had."""

from __future__ import annotations

import asyncio
from threading import Thread

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sample_app import services
from sample_app.database import AsyncDb, Db
from sample_app.models import AuditEvent
from sample_app.pitfalls.partners import print_label, print_label_async
from sample_app.routers.parameters import Id

app = FastAPI()

# The event loop itself keeps only weak references to its tasks.
printing: set[asyncio.Task[None]] = set()


def send_label(db: Session, order_id: int) -> None:
    print_label(order_id)
    db.add(AuditEvent(kind="label.printed", subject=f"order {order_id}"))
    db.commit()  # <- H106


async def send_label_async(db: AsyncSession, order_id: int) -> None:
    await print_label_async(order_id)
    db.add(AuditEvent(kind="label.printed", subject=f"order {order_id}"))
    await db.commit()  # <- H106 (async)


@app.post("/orders/{order_id}/label", status_code=202)
def request_label(order_id: Id, db: Db) -> dict[str, str]:
    order = services.find_order(db, order_id)
    Thread(target=send_label, args=(db, order.id)).start()
    return {"status": "printing"}


@app.post("/async/orders/{order_id}/label", status_code=202)
async def request_label_async(order_id: Id, db: AsyncDb) -> dict[str, str]:
    order = await db.run_sync(services.find_order, order_id)
    task = asyncio.create_task(send_label_async(db, order.id))
    printing.add(task)
    task.add_done_callback(printing.discard)
    return {"status": "printing"}
