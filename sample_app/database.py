"""Engines, session factories, and the dependencies that hand each request a session of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from sqlalchemy import Engine, QueuePool, create_engine, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from sample_app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry


def pool_options(url: URL, settings: Settings) -> dict[str, Any]:
    """Return the pool arguments that the pool of this URL takes.

    In-memory SQLite keeps its one connection in a pool that has no size, and refuses these arguments.
    """
    dialect = url.get_dialect()
    if not issubclass(dialect.get_pool_class(url), QueuePool):  # type: ignore[attr-defined]  # missing in its stub
        return {}
    return {
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_recycle": settings.pool_recycle,
    }


def enforce_foreign_keys(engine: Engine) -> None:
    """Have SQLite check foreign keys, as every other database does unasked."""

    @event.listens_for(engine, "connect")
    def switch_on(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        if engine.dialect.name != "sqlite":
            return
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


settings = Settings.from_environment()

engine = create_engine(settings.url, echo=settings.echo, **pool_options(settings.url, settings))
read_engine = create_engine(settings.read_url, echo=settings.echo, **pool_options(settings.read_url, settings))
async_engine = create_async_engine(settings.async_url, echo=settings.echo, **pool_options(settings.async_url, settings))
enforce_foreign_keys(engine)
enforce_foreign_keys(read_engine)
enforce_foreign_keys(async_engine.sync_engine)

SessionLocal = sessionmaker(bind=engine)
ReadSessionLocal = sessionmaker(bind=read_engine)
# An expired attribute would have to be awaited, which reading an attribute cannot do: so nothing expires.
AsyncSessionLocal = async_sessionmaker(bind=async_engine, expire_on_commit=False)


def get_db() -> Iterator[Session]:
    """Give a request its session, and close it afterwards."""
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def get_read_db() -> Iterator[Session]:
    """Give a request that only reads a session on the replica."""
    db = ReadSessionLocal()
    try:
        yield db
    finally:
        db.close()


async def get_async_db() -> AsyncIterator[AsyncSession]:
    """Give a request its async session, and close it afterwards, cancelled or not."""
    async with AsyncSessionLocal() as db:
        yield db


Db = Annotated[Session, Depends(get_db)]
ReadDb = Annotated[Session, Depends(get_read_db)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_db)]
