"""Timing: contestants take turns in rounds, so that whatever else the machine does hits all of them alike.

In each round every contestant runs a block of tests, in an order that rotates from round to round. A round's figure
is the fastest test of the block: on a shared machine whatever took longer was interrupted, as `timeit` explains. The
result is the median over the rounds, and a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any


def nothing() -> None:
    """Clean nothing up."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do it.

    Attributes:
        name: how the report calls it.
        once: what is timed; a coroutine function where it must run on the loop.
        after: cleans up, untimed.
        share: the part of a block's tests that it runs: slow ones need fewer.
        per: how many of the things that are reported `once` does.
    """

    name: str
    once: Callable[[], Any]
    after: Callable[[], Any] = nothing
    share: float = 1.0
    per: int = 1


@dataclass(slots=True)
class Samples:
    """Seconds per test, one figure for each round, for each contestant."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return the median of a contestant's rounds, in seconds."""
        return median(self.rounds[name])

    def ratio(self, name: str, base: str) -> float:
        """Return the median of the rounds' ratios."""
        return median(a / b for a, b in zip(self.rounds[name], self.rounds[base], strict=True))

    def over(self, name: str, base: str) -> float:
        """Return the median of the rounds' differences, in seconds."""
        return median(a - b for a, b in zip(self.rounds[name], self.rounds[base], strict=True))


def compete(
    contestants: Sequence[Contestant],
    rounds: int,
    tests: int,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Samples:
    """Let the contestants take turns; coroutine functions run on `loop`."""
    samples = Samples({contestant.name: [] for contestant in contestants})
    for contestant in contestants:
        _block(contestant, max(1, round(min(tests, 5) * contestant.share)), loop)
    for number in range(rounds):
        turn = number % len(contestants)
        for contestant in (*contestants[turn:], *contestants[:turn]):
            gc.collect()
            times = _block(contestant, max(1, round(tests * contestant.share)), loop)
            samples.rounds[contestant.name].append(min(times) / contestant.per)
    return samples


def _block(contestant: Contestant, tests: int, loop: asyncio.AbstractEventLoop | None) -> list[float]:
    if not inspect.iscoroutinefunction(contestant.once):
        return [_timed(contestant) for _ in range(tests)]
    assert loop is not None
    return loop.run_until_complete(_async_block(contestant, tests))


def _timed(contestant: Contestant) -> float:
    start = perf_counter()
    contestant.once()
    taken = perf_counter() - start
    contestant.after()
    return taken


async def _async_block(contestant: Contestant, tests: int) -> list[float]:
    times = []
    for _ in range(tests):
        start = perf_counter()
        await contestant.once()
        times.append(perf_counter() - start)
        cleaned = contestant.after()
        if isinstance(cleaned, Awaitable):
            await cleaned
    return times


#: The code of the task in which coroutine functions run: for harness, that task is the test.
TASK_CODE = _async_block.__code__
