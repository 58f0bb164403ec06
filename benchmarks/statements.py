"""Cost per statement through a captured engine against a plain one: an ORM and a Core SELECT of one row by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from benchmarks.clock import TASK_CODE, Contestant
from benchmarks.schema import User
from benchmarks.stage import Stage

STATEMENTS = 50
ORM, CORE = "ORM SELECT", "Core SELECT"
CAPTURED, PLAIN = "captured", "plain"

_ORM = select(User).where(User.id == 1)
_CORE = select(User.__table__.c.name).where(User.__table__.c.id == 1)
_USER = {"id": 1, "name": "ann", "email": "first@example.org"}


def names(kind: str) -> tuple[str, str]:
    """Return the names of the two contestants for a kind of statement."""
    return f"{kind}, {CAPTURED}", f"{kind}, {PLAIN}"


def contestants(stage: Stage) -> list[Contestant]:
    """Return two statements, each through two engines; the row they read is undone by either."""
    make = _async_loop if stage.driver.asynchronous else _loop
    found = []
    for kind, statement in ((ORM, _ORM), (CORE, _CORE)):
        for name, isolated in zip(names(kind), (True, False), strict=True):
            engine = stage.captured_engine() if isolated else stage.plain_engine()
            found.append(Contestant(name, make(stage, engine, statement, isolated), per=STATEMENTS))
    return found


def _loop(stage: Stage, engine: Any, statement: Any, isolated: bool) -> Callable[[], Any]:
    def statements() -> None:
        with Session(engine) as session:
            session.execute(insert(User).values(_USER))
            for _ in range(STATEMENTS):
                session.execute(statement).scalar_one()
            session.rollback()

    def in_test() -> None:
        with stage.isolated():
            statements()

    return in_test if isolated else statements


def _async_loop(stage: Stage, engine: Any, statement: Any, isolated: bool) -> Callable[[], Any]:
    async def statements() -> None:
        async with AsyncSession(engine) as session:
            await session.execute(insert(User).values(_USER))
            for _ in range(STATEMENTS):
                (await session.execute(statement)).scalar_one()
            await session.rollback()

    async def in_test() -> None:
        with stage.isolated(TASK_CODE):
            await statements()

    return in_test if isolated else statements
