"""What an engine under SQLAlchemy's asyncio extension owes its users, although the pinned connection is synchronous.

A statement of an async engine is a point where other tasks may run, and it needs the greenlet that
`AsyncSession` and `AsyncConnection` provide: lazy loading outside of it is an error in production, and so it is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy.util as sa_util

from harness.errors import IsolationError

if TYPE_CHECKING:
    from harness.isolation.pinned import Pinned

# SQLAlchemy 2.1 renamed `await_only`; the old name is deprecated there.
_await: Callable[[Awaitable[Any]], Any] = getattr(sa_util, "await_", None) or sa_util.await_only


class _Yield:
    """An awaitable that lets other tasks run once; what `asyncio.sleep(0)` does without its coroutine."""

    def __await__(self) -> Any:
        yield


_suspended: dict[asyncio.AbstractEventLoop, int] = {}


def suspended(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a statement is waiting on this loop; its greenlet can only be resumed in the thread it is in."""
    return _suspended.get(loop, 0) > 0


def _await_counted(awaitable: Awaitable[Any]) -> Any:
    loop = asyncio._get_running_loop()
    if loop is None:
        if in_greenlet():
            raise _not_asyncio()
        return _await(awaitable)  # raises MissingGreenlet
    _suspended[loop] = _suspended.get(loop, 0) + 1
    try:
        return _await(awaitable)
    finally:
        left = _suspended[loop] - 1
        if left:
            _suspended[loop] = left
        else:
            del _suspended[loop]


_plain: ContextVar[bool] = ContextVar("harness_synchronously", default=False)


@contextmanager
def synchronously() -> Iterator[None]:
    """While active, statements of an async engine need no greenlet, and no other task runs meanwhile.

    Possible because the pinned connection is synchronous; meant for what is the test's own, never for the application.
    """
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def checkpoint() -> None:
    """Let other tasks run.

    Raises:
        sqlalchemy.exc.MissingGreenlet: the call does not come from an awaited method of the asyncio extension.
    """
    if not _plain.get():
        _await_counted(_Yield())


def in_greenlet() -> bool:
    """Tell whether `checkpoint` can be used here."""
    import greenlet

    return bool(getattr(greenlet.getcurrent(), "__sqlalchemy_greenlet_provider__", False))


def wait_for_future(future: asyncio.Future[None], seconds: float) -> bool:
    """Wait for `future`; return False if it took longer than `seconds`."""

    async def wait() -> bool:
        done, _ = await asyncio.wait((future,), timeout=seconds)
        return bool(done)

    return bool(_await_counted(wait()))


def _not_asyncio() -> IsolationError:
    return IsolationError(
        "a statement was awaited outside of asyncio, as under trio",
        why="SQLAlchemy's asyncio extension runs on asyncio only",
        remedy='run the test on asyncio: @pytest.fixture\ndef anyio_backend(): return "asyncio"',
    )


class AwaitableMethods:
    """A logical connection, or a cursor of it, for code that expects an asynchronous driver's: methods are awaited."""

    def __init__(self, subject: Any) -> None:
        self._subject = subject

    def __getattr__(self, name: str) -> Any:
        target = getattr(self._subject, name)
        if not callable(target):
            return target

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await sa_util.greenlet_spawn(target, *args, **kwargs)
            return AwaitableMethods(result) if hasattr(result, "fetchall") else result

        return call


class PrivateLoopMethods:
    """asyncpg's own connection, which lives on a private loop: what is awaited on it is run there."""

    def __init__(self, pinned: Pinned) -> None:
        self._pinned = pinned

    def __getattr__(self, name: str) -> Any:
        target = getattr(self._pinned.physical.dbapi.driver_connection, name)
        if not callable(target):
            return target

        async def call(*args: Any, **kwargs: Any) -> Any:
            with self._pinned.lock:
                return self._pinned.physical.run(lambda: _await(target(*args, **kwargs)))

        return call


def run_async(function: Callable[[Any], Awaitable[Any]], connection: Any) -> Any:
    """Do what `AdaptedConnection.run_async` does: await `function(driver_connection)`."""
    return _await(function(connection))
