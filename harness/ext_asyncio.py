"""SQLAlchemy's classes for asyncio, to ask whether something is one of them.

`sqlalchemy.ext.asyncio` cannot be imported without greenlet, which SQLAlchemy 2.1 does not install by itself. Then no
application has anything asynchronous, and nothing is an instance of these.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

#: Whether there can be any.
AVAILABLE = find_spec("greenlet") is not None

if TYPE_CHECKING or AVAILABLE:
    from sqlalchemy.ext.asyncio import (
        AsyncConnection,
        AsyncEngine,
        AsyncSession,
        async_scoped_session,
        async_sessionmaker,
    )
else:
    AsyncConnection, AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker = (
        type(name, (), {})
        for name in ("AsyncConnection", "AsyncEngine", "AsyncSession", "async_scoped_session", "async_sessionmaker")
    )

__all__ = ["AVAILABLE", "AsyncConnection", "AsyncEngine", "AsyncSession", "async_scoped_session", "async_sessionmaker"]
