"""Orders, async; like the blocking ones, a write builds its answer before it commits."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, BackgroundTasks

from sample_app import audit, services
from sample_app.database import AsyncDb
from sample_app.models import Order
from sample_app.routers.parameters import Id, Limit, Offset
from sample_app.schemas import OrderCreate, OrderRead

router = APIRouter(prefix="/async/orders", tags=["async orders"])


@router.post("", status_code=201)
async def create_order(data: OrderCreate, db: AsyncDb, background: BackgroundTasks) -> OrderRead:
    """Place an order."""
    order = OrderRead.model_validate(await db.run_sync(services.place_order, data))
    await db.commit()
    background.add_task(audit.record_async, "order.placed", f"order {order.id}")
    return order


@router.post("/{order_id}/cancel")
async def cancel_order(order_id: Id, db: AsyncDb, background: BackgroundTasks) -> OrderRead:
    """Cancel an order and put its items back."""
    order = OrderRead.model_validate(await db.run_sync(services.cancel_order, order_id))
    await db.commit()
    background.add_task(audit.record_async, "order.cancelled", f"order {order.id}")
    return order


@router.get("", response_model=list[OrderRead])
async def read_orders(db: AsyncDb, limit: Limit = 50, offset: Offset = 0) -> Sequence[Order]:
    """List orders with their users and lines."""
    return (await db.scalars(services.list_orders(limit, offset))).all()


@router.get("/{order_id}", response_model=OrderRead)
async def read_order(order_id: Id, db: AsyncDb) -> Order:
    """Show one order."""
    return await db.run_sync(services.find_order, order_id)
