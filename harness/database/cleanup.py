"""What was started is removed, however the process ends.

Four nets, each for what falls through the one before: `close` at the end of the run; the end of the interpreter, for
a run that broke off; the signals whose default is to end the process at once (a cancelled CI job, a closed
terminal); and, for a process that was killed outright, the next run's sweep (`container.sweep`).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_FATAL = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def guaranteed(remove: Callable[[], None], *, outlives_process: bool) -> Callable[[], None]:
    """Return a `close` that calls `remove` once, and call it in any case before this process ends.

    Signals are only handled for what outlives the process.

    A forked child inherits the `close`, the exit handlers and the signal handlers, but not the ownership: there it
    does nothing. A `remove` that was interrupted is not done, and is tried again by the next net.
    """
    owner = os.getpid()
    done = False
    farewells: list[_Farewell] = []

    def close() -> None:
        nonlocal done
        if done or os.getpid() != owner:
            return
        remove()
        done = True
        atexit.unregister(close)
        for farewell in reversed(farewells):
            farewell.withdraw()

    atexit.register(close)
    if outlives_process and threading.current_thread() is threading.main_thread():  # the only one that may set handlers
        farewells.extend(_Farewell(number, close) for number in _FATAL if _Farewell.has_place(number))
    return close


class _Farewell:
    """A signal handler that closes, and then lets the signal do what it would have done.

    Only in place of the default, which ends the process; a handler of the user's own ends it his way, through the
    end of the interpreter. Several of ours form a chain.
    """

    def __init__(self, number: int, close: Callable[[], None]) -> None:
        self._number = number
        self._close = close
        self._previous: Any = signal.signal(number, self)

    @staticmethod
    def has_place(number: int) -> bool:
        handler = signal.getsignal(number)
        return handler is signal.SIG_DFL or isinstance(handler, _Farewell)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(Exception):
            self._close()
        if callable(self._previous):
            self._previous(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def withdraw(self) -> None:
        current: object = signal.getsignal(self._number)
        if threading.current_thread() is threading.main_thread() and current is self:
            signal.signal(self._number, self._previous)
