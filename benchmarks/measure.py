"""All parts for one driver, in a process of their own.

FastAPI's caches keep applications alive, and with them engines. An engine of another driver would take part in
harness's choice of the driver for the real connection, so no driver is measured where another one has been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks import async_isolation, async_whole, isolation, statements, whole
from benchmarks.clock import Contestant, Samples, compete
from benchmarks.databases import provided
from benchmarks.drivers import Driver
from benchmarks.results import ASYNC_WHOLE, ISOLATION, STATEMENTS, WHOLE
from benchmarks.stage import Stage, stage

Part = Callable[[Stage], Sequence[Contestant]]

_SYNC: dict[str, Part] = {
    ISOLATION: isolation.contestants,
    WHOLE: whole.contestants,
    STATEMENTS: statements.contestants,
}
_ASYNC: dict[str, Part] = {
    ISOLATION: async_isolation.contestants,
    WHOLE: whole.contestants,
    ASYNC_WHOLE: async_whole.contestants,
    STATEMENTS: statements.contestants,
}


def measured(driver: Driver, rounds: int, tests: int, image: str | None) -> dict[str, Samples]:
    """Return the samples of each part for a driver, measured in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, driver, rounds, tests, image).result()


def _measure(driver: Driver, rounds: int, tests: int, image: str | None) -> dict[str, Samples]:
    samples = {}
    with provided(driver.backend, image) as databases:
        for name, contestants in (_ASYNC if driver.asynchronous else _SYNC).items():
            with stage(driver, databases) as set_up:
                samples[name] = compete(contestants(set_up), rounds, tests, set_up.loop)
    return samples
