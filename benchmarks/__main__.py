"""`python -m benchmarks`: measure everything in one run, print tables and verdicts, write JSON."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks import clones, imports, machine, properties, report, suite, trivial
from benchmarks.drivers import drivers_of
from benchmarks.measure import measured
from benchmarks.results import JUDGEMENT, OBSERVATION, Results

_BACKENDS = {"sqlite": ("sqlite",), "postgres": ("postgresql",), "all": ("sqlite", "postgresql")}
_HERE = Path(__file__).parent
_IMPORTS = 15


def main() -> None:
    """Run the benchmarks."""
    options = _options()
    found = Results(machine.described())
    if not options.rules:
        found.clones = clones.measure(_BACKENDS[options.database], options.rounds, options.image)
    if options.clones:
        print(report.text(found))
        return
    if not options.rules:
        found.imports, found.heavy = imports.measure(_IMPORTS)
        found.trivial = trivial.measure(max(3, options.rounds // 2))
        for backend in _BACKENDS[options.database]:
            found.properties[backend] = properties.measure(backend, max(3, options.rounds // 4), options.image)
    found.suite = suite.measure(max(3, options.rounds // 3))
    parts = (OBSERVATION, JUDGEMENT) if options.rules else ()
    for driver in drivers_of(_BACKENDS[options.database]):
        print(f"{driver.name} …", flush=True)
        found.drivers[driver.name] = measured(driver, options.rounds, options.tests, options.image, parts)
    found.machine["load after"] = machine.load()
    print(report.text(found))
    options.json.write_text(json.dumps(report.document(found), indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often the contestants take turns (%(default)s)")
    parser.add_argument("--tests", type=int, default=15, help="tests of each contestant in a round (%(default)s)")
    parser.add_argument("--database", choices=_BACKENDS, default="all", help="which databases (%(default)s)")
    parser.add_argument("--image", default=os.environ.get("HARNESS_IMAGE"), help="image of the PostgreSQL container")
    parser.add_argument("--rules", action="store_true", help="measure only what observing and judging adds")
    parser.add_argument("--clones", action="store_true", help="measure only how long a test waits for its own database")
    parser.add_argument("--json", type=Path, default=_HERE / "results.json", help="where to write JSON (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
