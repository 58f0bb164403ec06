"""Users, blocking."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from sample_app import services
from sample_app.database import Db
from sample_app.models import User
from sample_app.routers.parameters import Id, Limit, Offset
from sample_app.schemas import UserCreate, UserRead

router = APIRouter(prefix="/users", tags=["users"])


@router.post("", status_code=201, response_model=UserRead)
def create_user(data: UserCreate, db: Db) -> User:
    """Register a user."""
    user = services.register_user(db, data)
    db.commit()
    db.refresh(user)
    return user


@router.get("", response_model=list[UserRead])
def read_users(db: Db, limit: Limit = 50, offset: Offset = 0) -> Sequence[User]:
    """List users."""
    return db.scalars(services.list_users(limit, offset)).all()


@router.get("/{user_id}", response_model=UserRead)
def read_user(user_id: Id, db: Db) -> User:
    """Show one user."""
    return services.find_user(db, user_id)


@router.delete("/{user_id}", status_code=204, response_model=None)
def delete_user(user_id: Id, db: Db) -> None:
    """Remove a user who has no orders."""
    services.remove_user(db, user_id)
    db.commit()
