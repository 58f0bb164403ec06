"""What observing and judging adds: to a statement, to a session's life, and to a whole test with its requests.

Both contestants of a pair use the same captured engine; one of them has the listeners attached. There is a third, for
which listeners that do nothing are attached, to the events of a statement or, for a whole test, wherever harness
listens to SQLAlchemy: so much it takes to tell anybody anything.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from time import perf_counter
from typing import Any

from sqlalchemy import event, insert, select
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from benchmarks import whole
from benchmarks.clock import TASK_CODE, Contestant
from benchmarks.schema import User
from benchmarks.shop import async_shop, sync_shop
from benchmarks.stage import Stage
from benchmarks.watching import Watching, in_request
from harness.client.blocking import Client
from harness.client.driver import Driver as LoopDriver
from harness.fixtures.client import named_requests

ORM, CORE, SESSION = "ORM SELECT", "Core SELECT", "session, SELECT, close"
KINDS = (ORM, CORE, SESSION)
OBSERVED, UNOBSERVED, SILENT = "observed", "not observed", "listeners that do nothing"
JUDGED, UNJUDGED = "with all stable rules", "without"
_STATEMENTS, _SESSIONS = 50, 10

_ORM = select(User).where(User.id == 1)
_CORE = select(User.__table__.c.name).where(User.__table__.c.id == 1)
_USER = {"id": 1, "name": "ann", "email": "first@example.org"}


def name(kind: str, how: str) -> str:
    """Return the name of a contestant."""
    return f"{kind}, {how}"


def statements(stage: Stage) -> list[Contestant]:
    """Return each kind of work, inside a request: observed, not observed, and with listeners that do nothing."""
    engine, watching = stage.captured_engine(), Watching(stage)
    bodies = _async_bodies(stage, engine) if stage.driver.asynchronous else _bodies(stage, engine)
    found = []
    for kind, body in bodies.items():
        per = _SESSIONS if kind == SESSION else _STATEMENTS
        found += [
            Contestant(name(kind, UNOBSERVED), body, per=per),
            Contestant(name(kind, OBSERVED), body, enter=_start(watching), leave=watching.stop, per=per),
            Contestant(name(kind, SILENT), body, enter=_listen, leave=_do_not_listen, per=per),
        ]
    return found


def tests(stage: Stage) -> list[Contestant]:
    """Return a whole test, a client and three requests: judged and not."""
    engine, watching, driver = stage.captured_engine(), Watching(stage), LoopDriver()
    if stage.driver.asynchronous:
        app = async_shop(async_sessionmaker(engine, expire_on_commit=False)).app
    else:
        app = sync_shop(sessionmaker(engine)).app
    stage.when_closed(driver.close)

    def test() -> None:
        with stage.isolated(), Client(app, driver=driver, wrap=named_requests) as client:
            whole.three_requests(client)

    def judged() -> None:
        watching.begin()
        test()
        watching.judge()

    return [
        Contestant(UNJUDGED, test),
        Contestant(JUDGED, judged, enter=watching.start, leave=watching.stop),
        Contestant(SILENT, test, enter=watching.start_deaf, leave=watching.stop_deaf),
    ]


def _start(watching: Watching) -> Callable[[], None]:
    def start() -> None:
        watching.start()
        watching.begin()

    return start


def _bodies(stage: Stage, engine: Any) -> dict[str, Callable[[], float]]:
    def loop(statement: Any) -> Callable[[], float]:
        def timed() -> float:
            in_request()
            with stage.isolated(), Session(engine) as session:
                session.execute(insert(User).values(_USER))
                start = perf_counter()
                for _ in range(_STATEMENTS):
                    session.execute(statement).scalar_one()
                taken = perf_counter() - start
                session.rollback()
            return taken

        return lambda: contextvars.copy_context().run(timed)

    def sessions() -> float:
        in_request()
        with stage.isolated():
            start = perf_counter()
            for _ in range(_SESSIONS):
                with Session(engine) as session:
                    session.execute(_CORE).first()
            return perf_counter() - start

    return {ORM: loop(_ORM), CORE: loop(_CORE), SESSION: lambda: contextvars.copy_context().run(sessions)}


def _async_bodies(stage: Stage, engine: Any) -> dict[str, Callable[[], Any]]:
    def loop(statement: Any) -> Callable[[], Any]:
        async def timed() -> float:
            in_request()
            with stage.isolated(TASK_CODE):
                async with AsyncSession(engine) as session:
                    await session.execute(insert(User).values(_USER))
                    start = perf_counter()
                    for _ in range(_STATEMENTS):
                        (await session.execute(statement)).scalar_one()
                    taken = perf_counter() - start
                    await session.rollback()
            return taken

        return timed

    async def sessions() -> float:
        in_request()
        with stage.isolated(TASK_CODE):
            start = perf_counter()
            for _ in range(_SESSIONS):
                async with AsyncSession(engine) as session:
                    (await session.execute(_CORE)).first()
            return perf_counter() - start

    return {ORM: loop(_ORM), CORE: loop(_CORE), SESSION: sessions}


def _nothing(*given: Any) -> None:
    """Listen to one thing or another."""


_EVENTS: tuple[tuple[type[Any], str], ...] = (
    (Engine, "before_cursor_execute"),
    (Engine, "after_cursor_execute"),
    (Session, "do_orm_execute"),
)


def _listen() -> None:
    for target, what in _EVENTS:
        event.listen(target, what, _nothing)


def _do_not_listen() -> None:
    for target, what in _EVENTS:
        event.remove(target, what, _nothing)
    # Removing the last listener does not clear the flag by which SQLAlchemy knows that there are any.
    Engine._has_events = False
