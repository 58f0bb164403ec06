"""When is a server ready? When it answers a query, over the way the tests will take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class NotReady(Exception):
    """The server will not become ready; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, and how to pass the time.

    Attributes:
        limit: seconds until giving up; an old machine may take a minute to initialise a server.
        pause: seconds between two attempts.
        news: seconds between two messages to the waiting reader.
    """

    limit: float = 120.0
    pause: float = 0.1
    news: float = 3.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def until_ready(
    connect: Callable[[], T],
    *,
    ended: Callable[[], str | None],
    final: Callable[[Exception], bool],
    tell: Callable[[str], None],
    patience: Patience,
) -> T:
    """Call `connect` until it succeeds, and return what it returned.

    The log is not read for a "ready" line: official images start their server twice, the first time for
    initialisation only and without listening on the network, so being reachable is the proof.

    Args:
        connect: connects and asks something.
        ended: how the server ended, or None while it runs.
        final: whether an error cannot be cured by waiting.
        tell: receives the time waited, now and then.
        patience: how long to wait.

    Raises:
        NotReady: the server ended, refuses for good, or did not answer in time.
    """
    began = told = patience.clock()
    while True:
        end = ended()
        if end is not None:
            raise NotReady(end)
        try:
            return connect()
        except Exception as problem:  # noqa: BLE001 - each driver has exceptions of its own; `ended` and `final` stop
            last = problem
        now = patience.clock()
        if final(last):
            raise NotReady("it refuses the connection") from last
        if now - began >= patience.limit:
            raise NotReady(f"it did not answer within {patience.limit:.0f} s") from last
        if now - told >= patience.news:
            told = now
            tell(f"{now - began:.0f} s")
        patience.sleep(patience.pause)
