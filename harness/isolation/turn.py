"""Waiting for one's turn, in threads and in event loops."""

from __future__ import annotations

import asyncio
import threading


class Waiters:
    """Everyone who waits for a transaction to end."""

    def __init__(self, lock: threading.RLock) -> None:
        self._condition = threading.Condition(lock)
        self._threads = 0
        self._futures: list[asyncio.Future[None]] = []

    def wait(self, seconds: float) -> None:
        """Wait in a thread that holds the lock; the lock is free meanwhile."""
        self._threads += 1
        try:
            self._condition.wait(seconds)
        finally:
            self._threads -= 1

    def future(self) -> asyncio.Future[None]:
        """Return a future of the running loop that is done when it is worth looking again."""
        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        return future

    def notify(self) -> None:
        """Tell everyone to look again; the caller holds the lock."""
        if self._threads:
            self._condition.notify_all()
        if not self._futures:
            return
        futures, self._futures = self._futures, []
        for future in futures:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
