"""Users, async."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from sample_app import services
from sample_app.database import AsyncDb
from sample_app.models import User
from sample_app.routers.parameters import Id, Limit, Offset
from sample_app.schemas import UserCreate, UserRead

router = APIRouter(prefix="/async/users", tags=["async users"])


@router.post("", status_code=201, response_model=UserRead)
async def create_user(data: UserCreate, db: AsyncDb) -> User:
    """Register a user."""
    user = await db.run_sync(services.register_user, data)
    await db.commit()
    await db.refresh(user)
    return user


@router.get("", response_model=list[UserRead])
async def read_users(db: AsyncDb, limit: Limit = 50, offset: Offset = 0) -> Sequence[User]:
    """List users."""
    return (await db.scalars(services.list_users(limit, offset))).all()


@router.get("/{user_id}", response_model=UserRead)
async def read_user(user_id: Id, db: AsyncDb) -> User:
    """Show one user."""
    return await db.run_sync(services.find_user, user_id)


@router.delete("/{user_id}", status_code=204, response_model=None)
async def delete_user(user_id: Id, db: AsyncDb) -> None:
    """Remove a user who has no orders."""
    await db.run_sync(services.remove_user, user_id)
    await db.commit()
