"""Two small FastAPI applications over the schema, with the same three endpoints: one sync, one async."""

# No `from __future__ import annotations`: FastAPI resolves annotations, and these name local dependencies.

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.schema import Item, User


class ItemIn(BaseModel):
    """An item to create."""

    title: str


class UserIn(BaseModel):
    """A user to create, with items."""

    name: str
    email: str
    items: list[ItemIn]


class Name(BaseModel):
    """A new name."""

    name: str


class UserOut(BaseModel):
    """A user as it is shown."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str
    email: str


class Profile(UserOut):
    """A user with the titles of the items."""

    titles: list[str]


@dataclass(frozen=True, slots=True)
class Shop:
    """An application, and the dependency through which its endpoints get their sessions."""

    app: FastAPI
    get_db: Any


def sync_shop(sessions: sessionmaker[Session]) -> Shop:
    """Return an application with blocking endpoints."""

    def get_db() -> Iterator[Session]:
        with sessions() as session:
            yield session

    db_type = Annotated[Session, Depends(get_db)]
    router = APIRouter()

    @router.post("/users", status_code=201, response_model=UserOut)
    def create(new: UserIn, db: db_type) -> User:
        user = User(name=new.name, email=new.email, items=[Item(title=item.title) for item in new.items])
        db.add(user)
        db.commit()
        db.refresh(user)
        return user

    @router.get("/users/{user_id}")
    def show(user_id: int, db: db_type) -> Profile:
        user = db.scalars(select(User).where(User.id == user_id)).one()
        items = db.scalars(select(Item).where(Item.owner_id == user_id)).all()
        return Profile(id=user.id, name=user.name, email=user.email, titles=[item.title for item in items])

    @router.patch("/users/{user_id}", response_model=UserOut)
    def rename(user_id: int, new: Name, db: db_type) -> User:
        user = db.scalars(select(User).where(User.id == user_id)).one()
        user.name = new.name
        db.commit()
        db.refresh(user)
        return user

    return _shop(router, get_db)


def async_shop(sessions: async_sessionmaker[AsyncSession]) -> Shop:
    """Return an application with async endpoints."""

    async def get_db() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    db_type = Annotated[AsyncSession, Depends(get_db)]
    router = APIRouter()

    @router.post("/users", status_code=201, response_model=UserOut)
    async def create(new: UserIn, db: db_type) -> User:
        user = User(name=new.name, email=new.email, items=[Item(title=item.title) for item in new.items])
        db.add(user)
        await db.commit()
        await db.refresh(user)
        return user

    @router.get("/users/{user_id}")
    async def show(user_id: int, db: db_type) -> Profile:
        user = (await db.scalars(select(User).where(User.id == user_id))).one()
        items = (await db.scalars(select(Item).where(Item.owner_id == user_id))).all()
        return Profile(id=user.id, name=user.name, email=user.email, titles=[item.title for item in items])

    @router.patch("/users/{user_id}", response_model=UserOut)
    async def rename(user_id: int, new: Name, db: db_type) -> User:
        user = (await db.scalars(select(User).where(User.id == user_id))).one()
        user.name = new.name
        await db.commit()
        await db.refresh(user)
        return user

    return _shop(router, get_db)


def _shop(router: APIRouter, get_db: Any) -> Shop:
    app = FastAPI()
    app.include_router(router)
    return Shop(app, get_db)
