"""`python -m benchmarks`: measure everything in one run, print tables and verdicts, write JSON."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    async_isolation,
    async_whole,
    imports,
    isolation,
    machine,
    report,
    results,
    statements,
    trivial,
    whole,
)
from benchmarks.clock import Contestant, compete
from benchmarks.databases import Databases, provided
from benchmarks.drivers import Driver, drivers_of
from benchmarks.results import Results
from benchmarks.stage import Stage, stage

_BACKENDS = {"sqlite": ("sqlite",), "postgres": ("postgresql",), "all": ("sqlite", "postgresql")}
_IMPORTS = 15

Part = Callable[[Stage], Sequence[Contestant]]


def main() -> None:
    """Run the benchmarks."""
    options = _options()
    found = Results(machine.described())
    found.imports, found.heavy = imports.measure(_IMPORTS)
    found.trivial = trivial.measure(max(3, options.rounds // 3))
    for backend in _BACKENDS[options.database]:
        with provided(backend, options.image) as databases:
            for driver in drivers_of((backend,)):
                print(f"{driver.name} …", flush=True)
                _measure(driver, databases, options.rounds, options.tests, found)
    print(report.text(found))
    options.json.write_text(json.dumps(report.document(found), indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often the contestants take turns (%(default)s)")
    parser.add_argument("--tests", type=int, default=15, help="tests of each contestant in a round (%(default)s)")
    parser.add_argument("--database", choices=_BACKENDS, default="all", help="which databases (%(default)s)")
    parser.add_argument("--image", default=os.environ.get("HARNESS_IMAGE"), help="image of the PostgreSQL container")
    parser.add_argument("--json", type=Path, default=Path(__file__).with_name("results.json"), help="where to write JSON")
    return parser.parse_args()


def _measure(driver: Driver, databases: Databases, rounds: int, tests: int, found: Results) -> None:
    parts: dict[str, Part] = {
        results.ISOLATION: async_isolation.contestants if driver.asynchronous else isolation.contestants,
        results.WHOLE: whole.contestants,
        results.STATEMENTS: statements.contestants,
    }
    if driver.asynchronous:
        parts[results.ASYNC_WHOLE] = async_whole.contestants
    found.backends[driver.name] = driver.backend
    samples = found.drivers.setdefault(driver.name, {})
    for part, contestants in parts.items():
        try:
            with stage(driver, databases) as set_up:
                samples[part] = compete(contestants(set_up), rounds, tests, set_up.loop)
        except Exception as error:  # noqa: BLE001 - the figures of the other parts are worth having
            found.failures.append(f"{driver.name}, {part}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
