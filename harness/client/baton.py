"""Who drives the loop: one thread at a time, and the others sleep until it is their turn or their result is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from harness.clock import now


class Baton:
    """Held by the thread that drives.

    Args:
        stop: makes the holder pause; called with True in the holder's own thread, with False in any other.
    """

    def __init__(self, stop: Callable[[bool], None]) -> None:
        self._stop = stop
        self._changed = threading.Condition()
        # All of these change only with the condition's lock held.
        self._holder: int | None = None
        self._keeping = False
        self._awaited: Future[Any] | None = None

    @property
    def kept(self) -> bool:
        """True while the keeper holds it, who gives it to anybody who asks."""
        return self._keeping

    def take_if_free(self, *, keeping: bool = False) -> bool:
        """Take it without waiting; tell whether that worked."""
        with self._changed:
            if self._holder is not None:
                return False
            self._holder, self._keeping = threading.get_ident(), keeping
            return True

    def take_from_keeper(self) -> bool:
        """Take it if it is free or can be had from the keeper, so that a call runs in the caller's thread."""
        with self._changed:
            while self._keeping:
                self._pause()
                self._changed.wait()
            return self.take_if_free()

    def take_unless_done(self, future: Future[Any], deadline: float | None) -> bool:
        """Wait for the baton or for the future, whichever comes first; tell whether it was the baton."""
        with self._changed:
            while not future.done():
                if self._holder is None:
                    return self.take_if_free()
                if self._keeping:
                    self._pause()
                left = None if deadline is None else deadline - now()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
            return False

    def await_for(self, future: Future[Any] | None) -> None:
        """Say which result the holder drives for; it is stopped when that one is there, not by others."""
        with self._changed:
            self._awaited = future

    def wake(self, future: Future[Any]) -> None:
        """Tell whoever waits that a future is done; meant as its callback."""
        with self._changed:
            if self._awaited is future:
                self._pause()
            self._changed.notify_all()

    def hand_over(self) -> None:
        """Let the next one have it."""
        with self._changed:
            self._holder, self._keeping, self._awaited = None, False, None
            self._changed.notify_all()

    def _pause(self) -> None:
        self._stop(self._holder == threading.get_ident())
