"""The whole suite of the sample application, run by pytest as a process: with all stable rules and without any.

The processes take turns in both orders. Wall time is what the budget is about; processor time is taken beside it,
because on a machine that does other work it is the one of the two that can be read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.clock import Samples

_SAMPLE = Path(__file__).parent.parent / "sample_app"
JUDGED, UNJUDGED = "with all stable rules", "without"
CLOCKS = ("wall time", "processor time")


def name(clock: str, how: str) -> str:
    """Return the name of a contestant."""
    return f"{clock}, {how}"


def measure(rounds: int) -> Samples:
    """Return seconds for the whole suite, by both clocks."""
    samples = Samples({name(clock, how): [] for clock in CLOCKS for how in (JUDGED, UNJUDGED)})
    _run()
    for number in range(rounds):
        for how in (JUDGED, UNJUDGED) if number % 2 else (UNJUDGED, JUDGED):
            for clock, taken in zip(CLOCKS, _run(*(["--harness-ignore=H"] if how == UNJUDGED else [])), strict=True):
                samples.rounds[name(clock, how)].append(taken)
    return samples


def _run(*options: str) -> tuple[float, float]:
    wall, processor = time.perf_counter(), _of_children()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "harness", *options, "tests"],
        cwd=_SAMPLE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - wall, _of_children() - processor


def _of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system
