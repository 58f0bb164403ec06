"""Items, blocking: written to the primary, read from the replica."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from sample_app import services
from sample_app.database import Db, ReadDb
from sample_app.models import Item
from sample_app.routers.parameters import Limit, Offset
from sample_app.schemas import ItemCreate, ItemRead

router = APIRouter(prefix="/items", tags=["items"])


@router.post("", status_code=201, response_model=ItemRead)
def create_item(data: ItemCreate, db: Db) -> Item:
    """Add an item to the catalogue."""
    item = services.add_item(db, data)
    db.commit()
    db.refresh(item)
    return item


@router.get("", response_model=list[ItemRead])
def read_items(db: ReadDb, limit: Limit = 50, offset: Offset = 0) -> Sequence[Item]:
    """List the catalogue."""
    return db.scalars(services.list_items(limit, offset)).all()


@router.get("/{sku}", response_model=ItemRead)
def read_item(sku: str, db: ReadDb) -> Item:
    """Show one item."""
    return services.find_item(db, sku)
