"""What is going on now: the tape of the running test, the request of the running code, and who runs it."""

from __future__ import annotations

import asyncio
import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from harness.observe.facts import Origin, Request
from harness.observe.incidents import Disabled
from harness.observe.tape import Tape

#: The request that the running code belongs to; tasks and worker threads inherit it.
CURRENT: ContextVar[Request | None] = ContextVar("harness_request", default=None)

#: Whether harness prepares something, such as the tables, that no test has asked for.
ASIDE: ContextVar[bool] = ContextVar("harness_aside", default=False)
#: The execution option of statements that harness sends for itself through a connection of the application.
OWN = "harness_own"


@contextmanager
def unobserved() -> Iterator[None]:
    """While active, what happens belongs to no request: harness does it, whoever made that necessary."""
    token, aside = CURRENT.set(None), ASIDE.set(True)
    try:
        yield
    finally:
        ASIDE.reset(aside)
        CURRENT.reset(token)


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What is known about a pool: the application's driver, and whether harness made it for itself."""

    driver: str
    asynchronous: bool
    own: bool


@dataclass(slots=True, eq=False)
class Recorder:
    """Holds the tape that listeners write on.

    Attributes:
        describe: tells about a pool what only the capture of engines knows.
        is_test: tells whether a file belongs to the tests rather than to the application.
        tape: of the test that is running; between tests one that nobody reads.
        request_began: is told of each request, while statements are counted.
    """

    describe: Callable[[Any], PoolFacts]
    is_test: Callable[[str], bool]
    tape: Tape = field(default_factory=lambda: Tape(""))
    disabled: list[Disabled] = field(default_factory=list)
    request_began: Callable[[Request], None] | None = None

    def guarded(self, listener: Callable[..., Any]) -> Callable[..., Any]:
        """Return a listener that never disturbs whom it listens to: if it fails it is switched off, and that is told.

        An exception of a listener would otherwise surface in the application, as its own.
        """
        broken = False

        def listen(*args: Any) -> Any:
            nonlocal broken
            if broken:
                return None
            try:
                return listener(*args)
            except Exception as error:  # noqa: BLE001 - whatever it is, the application must not meet it
                broken = True
                self.switched_off(listener.__qualname__, error)
                return None

        return listen

    def switched_off(self, name: str, error: Exception) -> None:
        """Note that a listener does not work any more."""
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        line = f" at line {place.tb_lineno} of {place.tb_frame.f_code.co_qualname}" if place is not None else ""
        disabled = Disabled(name, f"{type(error).__qualname__}{line}")
        self.disabled.append(disabled)
        self.tape.disabled.append(disabled)

    def origin(self, place: Any, own: bool = False) -> Origin:
        """Tell whose something is that was made at a place."""
        if own:
            return Origin.HARNESS
        if place is not None and self.is_test(place[0].co_filename):
            return Origin.TEST
        return Origin.APPLICATION


def current_task() -> asyncio.Task[Any] | None:
    """Return the task that runs, if an event loop runs in this thread."""
    return asyncio.current_task() if _get_running_loop() is not None else None


def who() -> int:
    """Return the identity of the task that runs, or of the thread where no event loop runs."""
    if _get_running_loop() is not None:
        task = asyncio.current_task()
        if task is not None:
            return id(task)
    return threading.get_ident()


def on_event_loop() -> bool:
    """Tell whether an event loop runs in this thread: a call that blocks then stops every other request."""
    return _get_running_loop() is not None
