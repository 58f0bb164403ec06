"""All parts for one driver, in a process of their own.

FastAPI's caches keep applications alive, and with them engines. An engine of another driver would take part in
harness's choice of the driver for the real connection, so no driver is measured where another one has been.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks import async_isolation, async_whole, isolation, observation, statements, whole
from benchmarks.clock import Contestant, Samples, compete
from benchmarks.databases import provided
from benchmarks.drivers import Driver
from benchmarks.results import ASYNC_WHOLE, ISOLATION, JUDGEMENT, OBSERVATION, STATEMENTS, WHOLE
from benchmarks.stage import Stage, stage

Part = Callable[[Stage], Sequence[Contestant]]

_SYNC: dict[str, Part] = {
    ISOLATION: isolation.contestants,
    WHOLE: whole.contestants,
    STATEMENTS: statements.contestants,
    OBSERVATION: observation.statements,
    JUDGEMENT: observation.tests,
}
_ASYNC: dict[str, Part] = {
    ISOLATION: async_isolation.contestants,
    WHOLE: whole.contestants,
    ASYNC_WHOLE: async_whole.contestants,
    STATEMENTS: statements.contestants,
    OBSERVATION: observation.statements,
    JUDGEMENT: observation.tests,
}


def measured(driver: Driver, rounds: int, tests: int, image: str | None, only: Collection[str]) -> dict[str, Samples]:
    """Return the samples of each part for a driver, measured in a new process.

    Args:
        driver: the driver.
        rounds: how often the contestants take turns.
        tests: how many tests of each there are in a round.
        image: of the database's container.
        only: the parts to measure; all if there are none.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, driver, rounds, tests, image, frozenset(only)).result()


def _measure(driver: Driver, rounds: int, tests: int, image: str | None, only: frozenset[str]) -> dict[str, Samples]:
    samples = {}
    with provided(driver.backend, image) as databases:
        for name, contestants in (_ASYNC if driver.asynchronous else _SYNC).items():
            if only and name not in only:
                continue
            with stage(driver, databases) as set_up:
                samples[name] = compete(contestants(set_up), rounds, tests, set_up.loop)
    return samples
