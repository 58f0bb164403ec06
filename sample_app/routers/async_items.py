"""Items, async."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from sample_app import services
from sample_app.database import AsyncDb
from sample_app.models import Item
from sample_app.routers.parameters import Limit, Offset
from sample_app.schemas import ItemCreate, ItemRead

router = APIRouter(prefix="/async/items", tags=["async items"])


@router.post("", status_code=201, response_model=ItemRead)
async def create_item(data: ItemCreate, db: AsyncDb) -> Item:
    """Add an item to the catalogue."""
    item = await db.run_sync(services.add_item, data)
    await db.commit()
    await db.refresh(item)
    return item


@router.get("", response_model=list[ItemRead])
async def read_items(db: AsyncDb, limit: Limit = 50, offset: Offset = 0) -> Sequence[Item]:
    """List the catalogue."""
    return (await db.scalars(services.list_items(limit, offset))).all()


@router.get("/{sku}", response_model=ItemRead)
async def read_item(sku: str, db: AsyncDb) -> Item:
    """Show one item."""
    return await db.run_sync(services.find_item, sku)
