"""The statements of the body without SQLAlchemy: what a rollback costs at the least, straight on the driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiosqlite
import asyncpg
import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

Rows = list[Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, with the parameters that SQLAlchemy sent. Every integer in them is the user's id."""

    sql: str
    parameters: Any

    def for_user(self, user_id: int | None) -> Any:
        """Return the parameters with the id that the user has this time."""
        if isinstance(self.parameters, dict):
            return {key: user_id if type(value) is int else value for key, value in self.parameters.items()}
        return tuple(user_id if type(value) is int else value for value in self.parameters)


def recorded(engine: Engine, run: Callable[[], Any]) -> list[Step]:
    """Return the statements that `run` sends through an engine."""
    steps: list[Step] = []

    def note(connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, many: bool) -> None:
        steps.append(Step(sql, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return steps


def replay(steps: list[Step], execute: Callable[[str, Any], Rows]) -> None:
    """Send the statements between BEGIN and ROLLBACK; the first returns the user's id."""
    execute("BEGIN", ())
    user_id = None
    for step in steps:
        rows = execute(step.sql, step.for_user(user_id))
        user_id = rows[0][0] if user_id is None else user_id
    execute("ROLLBACK", ())


async def async_replay(steps: list[Step], execute: Callable[[str, Any], Awaitable[Rows]]) -> None:
    """Send the statements between BEGIN and ROLLBACK; the first returns the user's id."""
    await execute("BEGIN", ())
    user_id = None
    for step in steps:
        rows = await execute(step.sql, step.for_user(user_id))
        user_id = rows[0][0] if user_id is None else user_id
    await execute("ROLLBACK", ())


# -- the drivers' own connections --------------------------------------------------------------------------------------


def sqlite(url: URL) -> tuple[Callable[[str, Any], Rows], Callable[[], None]]:
    """Open a connection; return a function that executes and one that closes."""
    link = sqlite3.connect(*_sqlite_arguments(url), uri=True, isolation_level=None)

    def execute(sql: str, parameters: Any) -> Rows:
        cursor = link.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else [(cursor.lastrowid,)]

    return execute, link.close


def postgres(url: URL) -> tuple[Callable[[str, Any], Rows], Callable[[], None]]:
    """Open a connection; return a function that executes and one that closes."""
    link = psycopg.connect(_dsn(url), autocommit=True)

    def execute(sql: str, parameters: Any) -> Rows:
        cursor = link.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    return execute, link.close


async def async_sqlite(url: URL) -> tuple[Callable[[str, Any], Awaitable[Rows]], Callable[[], Awaitable[None]]]:
    """Open a connection; return a function that executes and one that closes."""
    link = await aiosqlite.connect(*_sqlite_arguments(url), uri=True, isolation_level=None)

    async def execute(sql: str, parameters: Any) -> Rows:
        cursor = await link.execute(sql, parameters)
        return list(await cursor.fetchall()) if cursor.description else [(cursor.lastrowid,)]

    return execute, link.close


async def async_psycopg(url: URL) -> tuple[Callable[[str, Any], Awaitable[Rows]], Callable[[], Awaitable[None]]]:
    """Open a connection; return a function that executes and one that closes."""
    link = await psycopg.AsyncConnection.connect(_dsn(url), autocommit=True)

    async def execute(sql: str, parameters: Any) -> Rows:
        cursor = await link.execute(sql.encode(), parameters or None)
        return await cursor.fetchall() if cursor.description else []

    return execute, link.close


async def async_asyncpg(url: URL) -> tuple[Callable[[str, Any], Awaitable[Rows]], Callable[[], Awaitable[None]]]:
    """Open a connection; return a function that executes and one that closes."""
    link = await asyncpg.connect(_dsn(url))

    async def execute(sql: str, parameters: Any) -> Rows:
        if parameters:
            return list(await link.fetch(sql, *parameters))
        await link.execute(sql)
        return []

    return execute, link.close


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _sqlite_arguments(url: URL) -> tuple[str]:
    query = {name: value for name, value in url.query.items() if name != "uri"}
    return (f"{url.database}?{'&'.join(f'{name}={value}' for name, value in query.items())}",)
