"""Cost per test of isolation: the body alone, no client, isolated in several ways. Sync drivers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session, sessionmaker

from benchmarks import replay
from benchmarks.bodies import body
from benchmarks.clock import Contestant
from benchmarks.schema import Base, Item, User
from benchmarks.stage import Stage

HARNESS, UNISOLATED = "harness", "unisolated"
RECIPE, RECIPE_EACH = "recipe", "recipe, session per request"
TABLES, RAW = "create_all/drop_all", "raw BEGIN…ROLLBACK"


def contestants(stage: Stage) -> list[Contestant]:
    """Return the ways, unisolated among them, for a sync driver."""
    plain = stage.plain_engine()
    return [
        Contestant(HARNESS, _harness(stage)),
        Contestant(UNISOLATED, _unisolated(plain), after=lambda: clear(plain)),
        Contestant(RECIPE, _recipe(stage.savepoint_engine())),
        Contestant(RECIPE_EACH, _recipe_each(stage.savepoint_engine())),
        Contestant(TABLES, _tables(stage.plain_engine(stage.databases.scratch)), slow=True),
        Contestant(RAW, _raw(stage, plain)),
    ]


def clear(engine: Engine) -> None:
    """Delete the rows that an unisolated test has left."""
    with engine.begin() as connection:
        connection.execute(delete(Item))
        connection.execute(delete(User))


def _harness(stage: Stage) -> Callable[[], Any]:
    sessions = sessionmaker(stage.captured_engine())

    def test() -> None:
        with stage.isolated():
            body(sessions)

    return test


def _unisolated(engine: Engine) -> Callable[[], Any]:
    sessions = sessionmaker(engine)
    return lambda: body(sessions)


def _recipe(engine: Engine) -> Callable[[], Any]:
    """SQLAlchemy's documentation, "Joining a Session into an External Transaction": one session for the whole test.

    So the application makes none, which is a part of what is measured.
    """

    def test() -> None:
        connection = engine.connect()
        transaction = connection.begin()
        session = Session(bind=connection, join_transaction_mode="create_savepoint")
        body(lambda: nullcontext(session))
        session.close()
        transaction.rollback()
        connection.close()

    return test


def _recipe_each(engine: Engine) -> Callable[[], Any]:
    """The recipe around an application that makes its own sessions, as the unisolated one does."""

    def test() -> None:
        connection = engine.connect()
        transaction = connection.begin()
        body(sessionmaker(bind=connection, join_transaction_mode="create_savepoint"))
        transaction.rollback()
        connection.close()

    return test


def _tables(engine: Engine) -> Callable[[], Any]:
    sessions = sessionmaker(engine)

    def test() -> None:
        Base.metadata.create_all(engine)
        body(sessions)
        Base.metadata.drop_all(engine)

    return test


def _raw(stage: Stage, engine: Engine) -> Callable[[], Any]:
    steps = replay.recorded(engine, _unisolated(engine))
    clear(engine)
    connect = replay.sqlite if stage.driver.backend == "sqlite" else replay.postgres
    execute, close = connect(stage.databases.main)
    stage.when_closed(close)
    return lambda: replay.replay(steps, execute)
