"""A private event loop that is driven by whoever needs it, in the thread that needs it.

An asynchronous connection belongs to the event loop it was opened on, but tests bring a new loop each, threads, or
none. So the connection lives on a loop of its own, which stands still except while somebody waits for an answer of
the database. No test's loop can then be "attached to a different loop", and the connection survives all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.util import greenlet_spawn

from harness.clock import now

T = TypeVar("T")
_swap_current_task = getattr(asyncio.tasks, "_swap_current_task", None)


class PrivateLoop:
    """An event loop that only runs inside `complete` and `call`. Not re-entrant; callers hold a lock."""

    def __init__(self) -> None:
        self._loop = asyncio.SelectorEventLoop()
        # The database's answers are awaited in real time, also where a test has frozen the clock.
        self._loop.time = now  # type: ignore[method-assign]  # of one object

    def complete(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` to its end and return its result, also while another loop runs in this thread."""
        with _outer_loop_set_aside():
            return self._loop.run_until_complete(coroutine)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function written for SQLAlchemy's asyncio adapters, whose awaits take place on this loop."""
        return self.complete(greenlet_spawn(function, *args, **kwargs))

    def close(self) -> None:
        """Close the loop; safe to call twice."""
        if not self._loop.is_closed():
            self._loop.close()


@contextmanager
def _outer_loop_set_aside() -> Iterator[None]:
    """Let another loop run in this thread for a moment, as nested loops are otherwise refused.

    `_set_running_loop` is asyncio's documented hook for implementers of event loops. Since Python 3.12 the current
    task is put aside too, because 3.14 keeps it per thread.
    """
    outer = asyncio._get_running_loop()
    if outer is None:
        yield
        return
    task = _swap_current_task(outer, None) if _swap_current_task is not None else None
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)
        if _swap_current_task is not None:
            _swap_current_task(outer, task)
