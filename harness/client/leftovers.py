"""End tasks that nobody waits for, within a bound, and say which would not end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.clock import now
from harness.errors import ClientError


async def cancel_all(find: Callable[[], Iterable[asyncio.Task[Any]]], timeout: float) -> list[str]:
    """Cancel every task that ``find`` finds and wait for it, until it finds no more; return what they were.

    Asked again after each round, because a task may start others while it ends.

    Raises:
        ClientError: when some have not ended after ``timeout`` seconds.
    """
    deadline = now() + timeout
    told: list[str] = []
    while tasks := {task for task in find() if not task.done()}:
        left = deadline - now()
        if left <= 0:
            raise _stubborn(tasks, timeout)
        told.extend(describe(task) for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=left)
    return told


def describe(task: asyncio.Task[Any]) -> str:
    """Name a task's coroutine and where it is defined."""
    coro = task.get_coro()
    name = getattr(coro, "__qualname__", None) or task.get_name()
    code = getattr(coro, "cr_code", None)
    if code is None:
        return str(name)
    path = Path(code.co_filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{name} ({shown}:{code.co_firstlineno})"


def _stubborn(tasks: Iterable[asyncio.Task[Any]], timeout: float) -> ClientError:
    names = sorted(describe(task) for task in tasks)
    one = len(names) == 1
    count = "a task" if one else f"{len(names)} tasks"
    return ClientError(
        f"{count} of the application did not end within {timeout:g} s of being cancelled",
        where="\n".join(names),
        why="a task that outlives its test goes on using the database in the next one",
        remedy="let asyncio.CancelledError pass, and do not wait without a bound while cleaning up",
    )
