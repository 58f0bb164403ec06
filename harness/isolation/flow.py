"""Who is running? Flows of control inside one test, and how they are related.

The test's body, each request, each task and each thread the test starts is a *flow*. A flow that was started by
another one is its child. Two flows on one line of descent (the test and the request it waits for, a request and a
task it started) *nest*: the inner one works inside the outer one's open transaction. Two flows of which neither
descends from the other (gathered requests, threads) are *siblings* and take turns.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType
from typing import Any


class Flow:
    """One flow of control; `label` is how a message names it."""

    __slots__ = ("__weakref__", "_task", "_thread", "ended", "label", "parent")

    def __init__(
        self,
        label: str,
        parent: Flow | None = None,
        task: asyncio.Task[Any] | None = None,
        thread: threading.Thread | None = None,
    ) -> None:
        self.label = label
        self.parent = parent
        self.ended = False
        self._task = weakref.ref(task) if task is not None else None
        self._thread = thread

    def __repr__(self) -> str:
        return f"<Flow {self.label}>"

    def runs_in(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether this flow is the one of `task`."""
        return self._task is not None and self._task() is task

    @property
    def alive(self) -> bool:
        """Tell whether this flow can still make progress."""
        if self.ended:
            return False
        if self._task is not None:
            task = self._task()
            return task is not None and not task.done()
        return self._thread is None or self._thread.is_alive()

    def related(self, other: Flow) -> bool:
        """Tell whether one of the two flows descends from the other, or both are the same."""
        return self._descends_from(other) or other._descends_from(self)

    def _descends_from(self, other: Flow) -> bool:
        flow: Flow | None = self
        while flow is not None:
            if flow is other:
                return True
            flow = flow.parent
        return False


_current: ContextVar[Flow | None] = ContextVar("harness_flow", default=None)

#: The flow of whatever pytest itself runs: test bodies and fixtures. Every other flow descends from it, because
#: the test waits for all that it starts.
TEST = Flow("the test")


def current_flow() -> Flow:
    """Return the flow that is running; a task or thread seen for the first time becomes a child of its starter."""
    known = _current.get()
    task = _current_task()
    if task is not None and _runs_the_test(task):
        return known if known is not None and known.runs_in(task) else TEST
    if task is None:
        if known is not None:
            return known
        thread = threading.current_thread()
        if thread is threading.main_thread():
            return TEST
        flow = Flow(f"thread {thread.name!r}", TEST, thread=thread)
        _current.set(flow)
        return flow
    if known is not None and known.runs_in(task):
        return known
    flow = Flow(f"task {task.get_name()!r}", known or TEST, task=task)
    _current.set(flow)
    return flow


def _current_task() -> asyncio.Task[Any] | None:
    return asyncio.current_task() if asyncio._get_running_loop() is not None else None


def _runs_the_test(task: asyncio.Task[Any]) -> bool:
    """Tell whether pytest-asyncio or anyio runs the test's own coroutine in this task."""
    coroutine = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    return code is not None and (code is _test_code or code.co_qualname == "TestRunner._run_tests_and_fixtures")


_test_code: CodeType | None = None


@contextmanager
def running_test(code: CodeType | None) -> Iterator[None]:
    """While active, the task that runs `code` is the test itself."""
    global _test_code
    before, _test_code = _test_code, code
    try:
        yield
    finally:
        _test_code = before


@contextmanager
def request_flow(label: str) -> Iterator[Flow]:
    """Make everything inside one request a flow of its own, a child of whoever sent it."""
    flow = Flow(label, current_flow(), task=_current_task(), thread=threading.current_thread())
    token = _current.set(flow)
    try:
        yield flow
    finally:
        flow.ended = True
        _current.reset(token)
