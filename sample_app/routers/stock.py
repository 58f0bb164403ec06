"""A socket that tells the stock of one item, once at first and again for every message."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_app.database import AsyncDb
from sample_app.models import Item

router = APIRouter(prefix="/ws")

NO_SUCH_ITEM = 4404


@router.websocket("/stock/{sku}")
async def watch_stock(websocket: WebSocket, sku: str, db: AsyncDb) -> None:
    """Send the stock, then wait to be asked again."""
    await websocket.accept()
    try:
        while (stock := await read_stock(db, sku)) is not None:
            await websocket.send_json({"sku": sku, "stock": stock})
            await websocket.receive_text()
    except WebSocketDisconnect:
        return
    await websocket.close(NO_SUCH_ITEM, f"no item {sku}")


async def read_stock(db: AsyncSession, sku: str) -> int | None:
    """Read in a transaction that ends at once: a socket may wait for hours, a connection may not."""
    async with db.begin():
        return await db.scalar(select(Item.stock).where(Item.sku == sku))
