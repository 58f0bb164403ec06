"""Timing: contestants take turns every few tests, so that whatever else the machine does hits all of them alike.

A round is a number of turns; in each turn every contestant runs a few tests in a row, so that the processor's caches
are warm, as they would be in a test suite. The order rotates from round to round. A contestant's figure for a round is
its fastest test: on a shared machine whatever took longer was interrupted, as `timeit` explains. The result is the
median over the rounds, and a ratio is the median of the rounds' ratios.
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

#: Tests in a row.
BURST = 5
#: Tests before the first round: caches of statements, pools and prepared statements fill.
WARM_UP = 10


def nothing() -> None:
    """Clean nothing up."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do it.

    Attributes:
        name: how the report calls it.
        once: what is timed; a coroutine function where it must run on the loop. If it returns a number, it has timed
            itself, and those are the seconds.
        after: cleans up, untimed.
        enter, leave: at the beginning and the end of its turn, untimed.
        slow: so slow that one test in each round is enough.
        per: how many of the things that are reported `once` does.
    """

    name: str
    once: Callable[[], Any]
    after: Callable[[], Any] = nothing
    enter: Callable[[], Any] = nothing
    leave: Callable[[], Any] = nothing
    slow: bool = False
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
    loop: asyncio.AbstractEventLoop,
) -> Samples:
    """Let the contestants take turns; coroutine functions run on `loop`, each test in a task of its own."""
    samples = Samples({contestant.name: [] for contestant in contestants})
    _round(contestants, WARM_UP, loop)
    for number in range(rounds):
        first = number % len(contestants)
        gc.collect()
        times = _round((*contestants[first:], *contestants[:first]), tests, loop)
        for contestant in contestants:
            samples.rounds[contestant.name].append(min(times[contestant.name]) / contestant.per)
    return samples


def _round(contestants: Sequence[Contestant], tests: int, loop: asyncio.AbstractEventLoop) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for done in range(0, tests, BURST):
        for contestant in contestants:
            contestant.enter()
            for _ in range(min(BURST, tests - done)):
                if not (contestant.slow and times[contestant.name]):
                    times[contestant.name].append(_timed(contestant, loop))
            contestant.leave()
    return times


def _timed(contestant: Contestant, loop: asyncio.AbstractEventLoop) -> float:
    if inspect.iscoroutinefunction(contestant.once):
        taken = loop.run_until_complete(_awaited(contestant.once))
    else:
        start = perf_counter()
        told = contestant.once()
        taken = told if isinstance(told, float) else perf_counter() - start
    cleaned = contestant.after()
    if isinstance(cleaned, Awaitable):
        loop.run_until_complete(cleaned)
    return taken


async def _awaited(once: Callable[[], Awaitable[Any]]) -> float:
    start = perf_counter()
    told = await once()
    return told if isinstance(told, float) else perf_counter() - start


#: The code of the task in which a coroutine function runs: for harness, that task is the test.
TASK_CODE = _awaited.__code__
