"""Orders, blocking.

A write builds its answer before it commits: the commit then gives the connection back, and neither the
answer nor the background task waits with one in hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, BackgroundTasks

from sample_app import audit, services
from sample_app.database import Db
from sample_app.models import Order
from sample_app.routers.parameters import Id, Limit, Offset
from sample_app.schemas import OrderCreate, OrderRead

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", status_code=201)
def create_order(data: OrderCreate, db: Db, background: BackgroundTasks) -> OrderRead:
    """Place an order."""
    order = OrderRead.model_validate(services.place_order(db, data))
    db.commit()
    background.add_task(audit.record, "order.placed", f"order {order.id}")
    return order


@router.post("/{order_id}/cancel")
def cancel_order(order_id: Id, db: Db, background: BackgroundTasks) -> OrderRead:
    """Cancel an order and put its items back."""
    order = OrderRead.model_validate(services.cancel_order(db, order_id))
    db.commit()
    background.add_task(audit.record, "order.cancelled", f"order {order.id}")
    return order


@router.get("", response_model=list[OrderRead])
def read_orders(db: Db, limit: Limit = 50, offset: Offset = 0) -> Sequence[Order]:
    """List orders with their users and lines."""
    return db.scalars(services.list_orders(limit, offset)).all()


@router.get("/{order_id}", response_model=OrderRead)
def read_order(order_id: Id, db: Db) -> Order:
    """Show one order."""
    return services.find_order(db, order_id)
