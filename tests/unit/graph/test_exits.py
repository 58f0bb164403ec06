"""What a dependency commits after its yield: which look-alikes do, and which do not."""

# ruff: noqa: UP028 - these are the dependencies of other people
from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from harness.graph.exits import commits_after_yield
from harness.graph.facts import ExitCommit
from harness.graph.scope import scope_of

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)
AsyncSessionLocal = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))
AUTOCOMMIT = False


def commits(call: Callable[..., Any]) -> tuple[ExitCommit, ...]:
    """What a dependency commits."""
    scope = scope_of(call)
    assert scope
    return commits_after_yield(scope)


# --- After success --------------------------------------------------------------------------------------------------


def plain() -> Iterator[Session]:
    db = SessionLocal()
    yield db
    db.commit()


def in_try() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
        db.commit()
    except Exception:
        db.rollback()
        raise
    finally:
        db.close()


def in_else() -> Iterator[Session]:
    with SessionLocal() as db:
        try:
            yield db
        except Exception:
            db.rollback()
            raise
        else:
            db.commit()


def unless_clean() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        if db.new or db.dirty:
            db.commit()


def handed_on(db: Session) -> Iterator[Session]:
    yield db
    db.commit()


def opaque(container: Any) -> Iterator[Session]:
    db = container.get().session()
    yield db
    db.commit()


def in_a_loop() -> Iterator[Session]:
    for db in plain():
        yield db


def delegated() -> Iterator[Session]:
    yield from plain()


def finish(db: Session) -> None:
    db.commit()


def by_helper() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        finish(db)


async def awaited() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db
        await db.commit()


async def in_thread(run: Any) -> AsyncIterator[Session]:
    with SessionLocal() as db:
        yield db
        await run(db.commit)


def rolled_back_before_finally() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    except Exception:
        db.rollback()
        raise
    finally:
        db.commit()


# --- Blocks -------------------------------------------------------------------------------------------------------


def in_begin() -> Iterator[Session]:
    with SessionLocal() as db, db.begin():
        yield db


async def in_factory_begin() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal.begin() as db:
        yield db


def in_engine_begin() -> Iterator[Connection]:
    with engine.begin() as connection:
        yield connection


def in_named_block() -> Iterator[Session]:
    with SessionLocal() as db:
        transaction = db.begin()
        with transaction:
            yield db


@contextmanager
def session_scope() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
        db.commit()
    finally:
        db.close()


@asynccontextmanager
async def async_session_scope() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db, db.begin():
        yield db


def in_helper() -> Iterator[Session]:
    with session_scope() as db:
        yield db


async def in_async_helper() -> AsyncIterator[AsyncSession]:
    async with async_session_scope() as db:
        yield db


class UnitOfWork:
    """Commits when its block is left well."""

    def __enter__(self) -> UnitOfWork:
        self.session = SessionLocal()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.session.commit()
        else:
            self.session.rollback()
        self.session.close()


def in_unit_of_work() -> Iterator[Session]:
    with UnitOfWork() as unit:
        yield unit.session


class Database:
    """Hands out sessions, as an object that is made with the application."""

    def __init__(self) -> None:
        self._sessions = SessionLocal

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._sessions() as db:
            yield db
            db.commit()


database = Database()


def in_objects_helper() -> Iterator[Session]:
    with database.session() as db:
        yield db


AFTER_SUCCESS = [
    plain,
    in_try,
    in_else,
    unless_clean,
    handed_on,
    opaque,
    in_a_loop,
    delegated,
    by_helper,
    awaited,
    in_thread,
    rolled_back_before_finally,
    in_helper,
    in_unit_of_work,
    in_objects_helper,
]
BLOCKS = [in_begin, in_factory_begin, in_engine_begin, in_named_block, in_async_helper]


@pytest.mark.parametrize("call", [*AFTER_SUCCESS, *BLOCKS])
def test_a_commit_on_the_way_out_of_success_is_seen(call: Callable[..., Any]) -> None:
    """Wherever it hides, and it is not taken for one on the way out of failure."""
    (commit,) = commits(call)

    assert not commit.after_error
    assert (call in BLOCKS) == commit.block


def test_the_place_is_the_function_in_which_the_commit_stands() -> None:
    """So that what a test meets there has the same place."""
    assert ["plain", "finish", "session_scope", "UnitOfWork.__exit__", "Database.session"] == [
        commits(call)[0].site.function for call in (in_a_loop, by_helper, in_helper, in_unit_of_work, in_objects_helper)
    ]
    assert plain.__code__.co_firstlineno + 3 == commits(plain)[0].site.line
    assert in_begin.__code__.co_firstlineno + 1 == commits(in_begin)[0].site.line


# --- After failure as well ------------------------------------------------------------------------------------------


def in_finally() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.commit()
        db.close()


async def in_async_finally() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        try:
            yield db
        finally:
            await db.commit()


def in_finally_after_narrow_rollback() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    except ValueError:
        db.rollback()
        raise
    finally:
        db.commit()


def in_finally_unless_clean() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        if db.dirty:
            db.commit()


@contextmanager
def careless_scope() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.commit()


def in_careless_helper() -> Iterator[Session]:
    with careless_scope() as db:
        yield db


@pytest.mark.parametrize(
    "call",
    [
        in_finally,
        in_async_finally,
        in_finally_after_narrow_rollback,
        in_finally_unless_clean,
        in_careless_helper,
    ],
)
def test_a_commit_in_finally_also_follows_a_failure(call: Callable[..., Any]) -> None:
    """A condition that only the session is asked about does not help: it does not know of the endpoint's exception."""
    (commit,) = commits(call)

    assert commit.after_error


# --- Neither --------------------------------------------------------------------------------------------------------


def closes() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def rolls_back() -> Iterator[Session]:
    with SessionLocal() as db:
        try:
            yield db
        except Exception:
            db.rollback()
            raise


def commits_before() -> Iterator[Session]:
    with SessionLocal() as db:
        db.commit()
        yield db


def commits_a_failure() -> Iterator[Session]:
    with SessionLocal() as db:
        try:
            yield db
        except ValueError:
            db.commit()
            raise


def returns() -> Session:
    db = SessionLocal()
    db.commit()
    return db


def nested_savepoint() -> Iterator[Session]:
    with SessionLocal() as db, db.begin_nested():
        yield db


def switched_off() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        if AUTOCOMMIT:
            db.commit()


@contextmanager
def optional_scope(commit: bool = False) -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        if commit:
            db.commit()


def in_optional_helper() -> Iterator[Session]:
    with optional_scope() as db:
        yield db


class Consumer:
    """Something else that commits."""

    def commit(self) -> None:
        """Move an offset."""


consumer = Consumer()


def commits_something_else() -> Iterator[Session]:
    with closing(SessionLocal()) as db, suppress(KeyError):
        yield db
    consumer.commit()


def nested_function() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db

        def later() -> None:
            db.commit()

        later.__name__ = "later"


@pytest.mark.parametrize(
    "call",
    [
        closes,
        rolls_back,
        commits_before,
        commits_a_failure,
        returns,
        nested_savepoint,
        switched_off,
        in_optional_helper,
        commits_something_else,
        nested_function,
    ],
)
def test_a_look_alike_commits_nothing(call: Callable[..., Any]) -> None:
    """What runs before the yield, on failure only, on a condition that is off, or never."""
    assert () == commits(call)


def recursive() -> Iterator[Session]:
    yield from recursive()


def test_a_generator_that_delegates_to_itself_is_read_once() -> None:
    """Two helpers deep, and no further."""
    assert () == commits(recursive)
