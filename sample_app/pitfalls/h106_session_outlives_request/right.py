"""The label is printed, and recorded, with a session of the thread's or the task's own."""

from __future__ import annotations

import asyncio
from threading import Thread

from fastapi import FastAPI

from sample_app import services
from sample_app.database import AsyncDb, AsyncSessionLocal, Db, SessionLocal
from sample_app.models import AuditEvent
from sample_app.pitfalls.partners import print_label, print_label_async
from sample_app.routers.parameters import Id

app = FastAPI()

# The event loop itself keeps only weak references to its tasks.
printing: set[asyncio.Task[None]] = set()


def send_label(order_id: int) -> None:
    print_label(order_id)
    with SessionLocal() as db:
        db.add(AuditEvent(kind="label.printed", subject=f"order {order_id}"))
        db.commit()


async def send_label_async(order_id: int) -> None:
    await print_label_async(order_id)
    async with AsyncSessionLocal() as db:
        db.add(AuditEvent(kind="label.printed", subject=f"order {order_id}"))
        await db.commit()


@app.post("/orders/{order_id}/label", status_code=202)
def request_label(order_id: Id, db: Db) -> dict[str, str]:
    order = services.find_order(db, order_id)
    Thread(target=send_label, args=(order.id,)).start()
    return {"status": "printing"}


@app.post("/async/orders/{order_id}/label", status_code=202)
async def request_label_async(order_id: Id, db: AsyncDb) -> dict[str, str]:
    order = await db.run_sync(services.find_order, order_id)
    task = asyncio.create_task(send_label_async(order.id))
    printing.add(task)
    task.add_done_callback(printing.discard)
    return {"status": "printing"}
