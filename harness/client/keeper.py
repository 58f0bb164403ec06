"""A thread that is called for, waits a moment, and does one thing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Keeper:
    """Run ``work`` in a daemon thread a moment after each call; started by the first call.

    The moment matters: a test that sends one request after the other calls the keeper after each of them, and must not
    have to take the loop back from it every time.
    """

    def __init__(self, work: Callable[[], None], *, pause: float) -> None:
        self._work = work
        self._pause = pause
        self._called = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def call(self) -> None:
        """Ask for one run of the work."""
        if self._closed or self._called.is_set():
            return
        self._called.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="harness-keeper", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Take no more calls. Work in progress must be brought to its end by whoever knows how."""
        self._closed = True
        self._called.set()

    def join(self) -> None:
        """Wait for the thread's end."""
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while True:
            self._called.wait()
            if not self._closed:
                time.sleep(self._pause)
            # Cleared before the work, so that a call during the work is not lost.
            self._called.clear()
            if self._closed:
                return
            self._work()
