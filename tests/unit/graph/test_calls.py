"""What a function does with sessions in its own body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from harness.graph.calls import session_calls
from harness.graph.scope import scope_of

SessionLocal = sessionmaker()


def calls(call: Callable[..., Any]) -> list[str]:
    """The calls of a function, as they read."""
    scope = scope_of(call)
    assert scope
    return [f"{one.sort.value} {one.session}.{one.method}" for one in session_calls(scope)]


async def plain(db: Session) -> Any:
    db.add(object())
    db.execute(text("SELECT 1"))
    db.commit()


async def chained(db: Session) -> Any:
    return db.query(object).filter(true()).order_by(None).first()


async def in_steps(db: Session) -> Any:
    found = db.query(object)
    found = found.filter(true())
    return found.all()


async def renamed(db: Session) -> Any:
    session = db
    return session.scalars(select(1)).all()


async def made_here() -> Any:
    with SessionLocal() as db:
        return db.scalar(select(1))


async def on_a_connection(connection: Connection) -> Any:
    return list(connection.execute(text("SELECT 1")))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (plain, ["Session db.execute", "Session db.commit"]),
        (chained, ["Session db.query"]),
        (in_steps, ["Session db.query"]),
        (renamed, ["Session session.scalars"]),
        (made_here, ["Session db.scalar"]),
        (on_a_connection, ["Connection connection.execute"]),
    ],
)
def test_a_call_of_a_synchronous_session_is_seen(call: Callable[..., Any], expected: list[str]) -> None:
    """Given, renamed or made here; a query counts where it is sent. What sends nothing does not count."""
    assert expected == calls(call)


async def in_a_thread(db: Session) -> Any:
    await run_in_threadpool(db.commit)
    await asyncio.to_thread(db.execute, text("SELECT 1"))
    await run_in_threadpool(db.query(object).all)
    await run_in_threadpool(lambda: db.commit())

    def work() -> None:
        db.commit()

    await run_in_threadpool(work)


async def only_built(db: Session) -> Any:
    return db.query(object).filter(true())


async def not_a_session(db: dict[str, Any], query: Any) -> Any:
    query.query(object).all()
    return db.get("execute")


async def asynchronous(db: AsyncSession) -> Any:
    await db.run_sync(lambda session: session.commit())
    return (await db.execute(text("SELECT 1"))).all()


@pytest.mark.parametrize("call", [in_a_thread, only_built, not_a_session, asynchronous])
def test_a_look_alike_is_no_call_of_a_synchronous_session(call: Callable[..., Any]) -> None:
    """What runs in a thread, what is only built, what is something else, what is awaited."""
    assert [] == calls(call)


async def forgotten(db: AsyncSession) -> None:
    db.add(object())
    db.commit()  # type: ignore[unused-coroutine]
    await db.flush()


async def passed_on(db: AsyncSession) -> None:
    await asyncio.gather(db.commit(), db.flush())
    task = asyncio.create_task(db.close())
    await asyncio.shield(task)
    coroutine = db.rollback()
    await coroutine


def test_a_coroutine_that_is_a_statement_of_its_own_is_dropped() -> None:
    """The others may be awaited somewhere."""
    assert ["AsyncSession db.commit"] == calls(forgotten)
    assert [] == calls(passed_on)
