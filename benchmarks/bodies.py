"""The body of the measured test: what two requests of an ordinary application do, sync and async.

The first inserts three rows in two tables, commits and refreshes; the second reads them back, updates one, commits
and refreshes. Seven statements, two commits. `open_session` is what the application's `get_db` would be: with a
session of its own for each request, or with the one session that a fixture shares with the application.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from benchmarks.schema import Item, User

OpenSession = Callable[[], AbstractContextManager[Session]]
OpenAsyncSession = Callable[[], AbstractAsyncContextManager[AsyncSession]]


def new_user() -> User:
    """Return a user with two items, none of them stored yet."""
    return User(name="ann", email="ann@example.org", items=[Item(title="lamp"), Item(title="chair")])


def body(open_session: OpenSession) -> int:
    """Do what two requests do; return the user's id."""
    with open_session() as session:
        user = new_user()
        session.add(user)
        session.commit()
        session.refresh(user)
        user_id = user.id
    with open_session() as session:
        user = session.scalars(select(User).where(User.id == user_id)).one()
        session.scalars(select(Item).where(Item.owner_id == user_id)).all()
        user.name = "bob"
        session.commit()
        session.refresh(user)
    return user_id


async def async_body(open_session: OpenAsyncSession) -> int:
    """Do what two requests do; return the user's id."""
    async with open_session() as session:
        user = new_user()
        session.add(user)
        await session.commit()
        await session.refresh(user)
        user_id = user.id
    async with open_session() as session:
        user = (await session.scalars(select(User).where(User.id == user_id))).one()
        (await session.scalars(select(Item).where(Item.owner_id == user_id))).all()
        user.name = "bob"
        await session.commit()
        await session.refresh(user)
    return user_id
