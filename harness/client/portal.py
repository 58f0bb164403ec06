"""The portal of one client: calls into the driver's loop, and the tasks that came of them.

It has the methods of ``anyio.from_thread.BlockingPortal``, which Starlette's ``TestClient`` offers to tests as
``client.portal``, and needs no thread.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any, TypeVar, cast, overload

from harness.client.driver import OWNER, Driver
from harness.client.leftovers import cancel_all

T = TypeVar("T")

LEFTOVER_TIMEOUT = 5.0


class Portal:
    """Run functions and coroutines on the driver's loop, from any thread.

    Each call sees the context variables of the code that makes it.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self._tasks: set[asyncio.Task[Any]] = set()

    @overload
    def call(self, func: Callable[..., Awaitable[T]], *args: object) -> T: ...
    @overload
    def call(self, func: Callable[..., T], *args: object) -> T: ...
    def call(self, func: Callable[..., Any], *args: object) -> Any:
        """Call a function on the loop, await what it returns, and return the outcome."""
        call = Call(self, func, args, {})
        try:
            self.driver.perform(call.spawn, call)
        except BaseException:
            # Interrupted, usually by Ctrl-C: nobody will ask for this result any more.
            call.abandon()
            raise
        return call.outcome()

    @overload
    def start_task_soon(self, func: Callable[..., Awaitable[T]], *args: object, name: object = None) -> Future[T]: ...
    @overload
    def start_task_soon(self, func: Callable[..., T], *args: object, name: object = None) -> Future[T]: ...
    def start_task_soon(self, func: Callable[..., Any], *args: object, name: object = None) -> Future[Any]:
        """Start a task; its future's ``result()`` drives the loop. Cancelling the future cancels the task."""
        return self._start(func, args, {}, name)

    def start_task(
        self, func: Callable[..., Awaitable[T]], *args: object, name: object = None
    ) -> tuple[Future[T], Any]:
        """Start a task and wait until it calls ``task_status.started(value)``; return its future and the value."""
        status = _TaskStatus()
        call = self._start(func, args, {"task_status": status}, name)
        call.add_done_callback(status.ended)
        self.driver.wait(status.ready)
        return call, status.ready.result()

    @contextmanager
    def _wrapped(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        future, (value, leave) = self.start_task(_hold, manager, exc := [None, None, None])
        try:
            yield value
        except BaseException:
            exc[:] = sys.exc_info()  # type: ignore[assignment] # mypy cannot see that the list has three places
            self.call(leave.set)
            if not future.result():
                raise
        else:
            self.call(leave.set)
            future.result()

    def wrap_async_context_manager(self, cm: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """Enter and leave an async context manager from sync code, both in one task."""
        return self._wrapped(cm)

    def close(self) -> list[str]:
        """Cancel and await the tasks that were left behind; return what they were.

        Raises:
            ClientError: when some do not end within five seconds.
        """
        if not self._tasks:
            return []
        return self.call(cancel_all, lambda: set(self._tasks), LEFTOVER_TIMEOUT)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take note of a task that nobody may be waiting for."""
        self._tasks.add(task)
        self.driver.attend(+1)
        task.add_done_callback(self._release)

    def _release(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.driver.attend(-1)

    def _start(
        self, func: Callable[..., Any], args: tuple[object, ...], options: dict[str, object], name: object
    ) -> Call:
        call = Call(self, func, args, options, name=name, watched=True)
        self.driver.refuse_reentrance()
        self.driver.submit(call.spawn)
        return call


class Call(Future[Any]):
    """A function to perform on the loop, and where its outcome lands. Waiting for it drives the loop."""

    def __init__(
        self,
        portal: Portal,
        func: Callable[..., Any],
        args: tuple[object, ...],
        options: dict[str, object],
        *,
        name: object = None,
        watched: bool = False,
    ) -> None:
        super().__init__()
        self._portal = portal
        self._func = func
        self._args = args
        self._options = options
        self._name = None if name is None else str(name)
        self._watched = watched
        self._task: asyncio.Task[None] | None = None
        self._context = copy_context()
        self._context.run(OWNER.set, portal)

    def spawn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Create the task. Not through ``loop.create_task``: a call that somebody waits for is nobody's leftover."""
        if self.done():
            return
        self._task = asyncio.Task(self._perform(), loop=loop, name=self._name, context=self._context)
        if self._watched:
            self._portal.adopt(self._task)
            self.add_done_callback(self._cancel_task)

    def abandon(self) -> None:
        """Cancel the task without waiting for it; it ends when the loop is driven next."""
        if not self.done():
            self.cancel()
            self._cancel_task(self)

    def outcome(self) -> Any:
        """Return or raise what the function did; it must be done."""
        return super().result(0)

    def result(self, timeout: float | None = None) -> Any:
        """Drive the loop until the outcome is there, and return or raise it."""
        self._portal.driver.wait(self, timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Drive the loop until the outcome is there, and return the exception, if any."""
        self._portal.driver.wait(self, timeout)
        return super().exception(0)

    async def _perform(self) -> None:
        try:
            result = self._func(*self._args, **self._options)
            if inspect.isawaitable(result):
                result = await result
        except asyncio.CancelledError:
            self.cancel()
            self.set_running_or_notify_cancel()
        except BaseException as error:
            if self.set_running_or_notify_cancel():
                self.set_exception(error)
            # KeyboardInterrupt and SystemExit must reach the thread that drives.
            if not isinstance(error, Exception):
                raise
        else:
            if self.set_running_or_notify_cancel():
                self.set_result(result)

    def _cancel_task(self, _: Future[Any]) -> None:
        task = self._task
        if task is not None and self.cancelled() and not task.done():
            task.get_loop().call_soon_threadsafe(task.cancel)


class _TaskStatus:
    """What ``start_task`` hands to a task, so that it can say that it is ready."""

    def __init__(self) -> None:
        self.ready: Future[Any] = Future()

    def started(self, value: object = None) -> None:
        self.ready.set_result(value)

    def ended(self, call: Future[Any]) -> None:
        if self.ready.done():
            return
        if call.cancelled():
            self.ready.set_exception(CancelledError())
            return
        early = RuntimeError("Task exited without calling task_status.started()")
        self.ready.set_exception(call.exception() or early)


async def _hold(manager: AbstractAsyncContextManager[T], exc: list[Any], *, task_status: _TaskStatus) -> bool | None:
    """Enter a context manager, wait until told to leave, and leave it, all in this task."""
    value = await manager.__aenter__()
    leave = asyncio.Event()
    task_status.started((value, leave))
    try:
        await leave.wait()
    except BaseException:
        await manager.__aexit__(*sys.exc_info())
        raise
    return await manager.__aexit__(*cast("tuple[Any, Any, Any]", tuple(exc)))
