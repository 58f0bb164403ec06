"""The figures as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import clones, observation, properties, statements, suite, trivial
from benchmarks.budgets import verdicts
from benchmarks.clock import Samples
from benchmarks.imports import PLUGIN, PYTEST
from benchmarks.isolation import HARNESS, UNISOLATED
from benchmarks.results import ASYNC_WHOLE, ISOLATION, JUDGEMENT, OBSERVATION, STATEMENTS, WHOLE, Results

_WIDTHS = (16, 28, 11, 11, 11, 11)


def text(results: Results) -> str:
    """Return the tables and the verdicts."""
    lines = ["", ", ".join(f"{name} {value}" for name, value in results.machine.items())]
    for title, rows in _tables(results):
        lines += ["", title, *rows]
    lines += ["", "Budgets"]
    for verdict in verdicts(results):
        lines.append(f"  {verdict.what:58} {verdict.measured:>9}  (≤ {verdict.allowed:>5})  {verdict}")
    return "\n".join(lines)


def document(results: Results) -> dict[str, Any]:
    """Return everything that was found, fit for JSON; times are seconds."""
    return {
        "machine": results.machine,
        "drivers": {
            driver: {part: _described(samples) for part, samples in parts.items()}
            for driver, parts in results.drivers.items()
        },
        "clones": _described(results.clones),
        "trivial": _described(results.trivial),
        "suite": _described(results.suite),
        "properties": {backend: _described(samples) for backend, samples in results.properties.items()},
        "imports": {**_described(results.imports), "heavy": results.heavy},
        "verdicts": [asdict(verdict) for verdict in verdicts(results)],
    }


def _described(samples: Samples) -> dict[str, Any]:
    return {name: {"median": samples.median(name), "rounds": rounds} for name, rounds in samples.rounds.items()}


def _tables(results: Results) -> Iterator[tuple[str, list[str]]]:
    if found := results.samples(ISOLATION):
        title = "Isolation: ms per test | harness / this | overhead over unisolated, ms"
        yield title, [row for driver, samples in found for row in _isolation_rows(driver, samples)]
    for part, title in (
        (WHOLE, "Whole test, client and three requests: ms per test | harness / this"),
        (ASYNC_WHOLE, "Whole async test, client and three requests: ms per test | harness / this"),
    ):
        if found := results.samples(part):
            yield title, [row for driver, samples in found for row in _against_harness(driver, samples)]
    if found := results.samples(STATEMENTS):
        title = "Statement: µs each, captured engine | plain engine | captured / plain"
        yield title, [row for driver, samples in found for row in _statement_rows(driver, samples)]
    if found := results.samples(OBSERVATION):
        title = "In a request: µs each, observed | not observed | observed / not | listeners that do nothing / not"
        yield title, [row for driver, samples in found for row in _observation_rows(driver, samples)]
    if found := results.samples(JUDGEMENT):
        title = "Whole test, three requests: ms with all stable rules | without | with / without | do nothing / without"
        yield title, [_judgement_row(driver, samples) for driver, samples in found]
    if results.suite.rounds:
        yield "sample_app's suite: s with all stable rules | without | with / without", list(_suite_rows(results.suite))
    if results.clones.rounds:
        yield "A database of a test's own: ms | wait / plain copy", list(_clone_rows(results.clones))
    if results.trivial.rounds:
        yield "A test without a database: µs with harness | without | extra", list(_trivial_rows(results.trivial))
    if results.properties:
        title = "A property: ms per example with harness | with a savepoint by hand | harness / by hand"
        yield title, [_property_row(backend, samples) for backend, samples in results.properties.items()]
    if results.imports.rounds:
        taken, base = results.imports.median(PLUGIN), results.imports.median(PYTEST)
        ratio = f"{results.imports.ratio(PLUGIN, PYTEST):.2f}"
        row = _row("", PLUGIN, f"{taken * 1e3:.1f}", f"{base * 1e3:.1f}", ratio)
        yield "Import: ms of the plugin on top of pytest | of pytest | plugin / pytest", [row]


def _isolation_rows(driver: str, samples: Samples) -> Iterator[str]:
    for name in samples.rounds:
        ratio = "" if name == HARNESS else f"{samples.ratio(HARNESS, name):.2f}"
        over = "" if name == UNISOLATED else f"{samples.over(name, UNISOLATED) * 1e3:+.2f}"
        yield _row(driver, name, f"{samples.median(name) * 1e3:.2f}", ratio, over)


def _against_harness(driver: str, samples: Samples) -> Iterator[str]:
    for name in samples.rounds:
        ratio = "" if name == HARNESS else f"{samples.ratio(HARNESS, name):.2f}"
        yield _row(driver, name, f"{samples.median(name) * 1e3:.2f}", ratio)


def _statement_rows(driver: str, samples: Samples) -> Iterator[str]:
    for kind in (statements.ORM, statements.CORE):
        captured, plain = statements.names(kind)
        first, second = samples.median(captured) * 1e6, samples.median(plain) * 1e6
        yield _row(driver, kind, f"{first:.0f}", f"{second:.0f}", f"{samples.ratio(captured, plain):.2f}")


def _observation_rows(driver: str, samples: Samples) -> Iterator[str]:
    for kind in observation.KINDS:
        observed, without, silent = (
            observation.name(kind, how) for how in (observation.OBSERVED, observation.UNOBSERVED, observation.SILENT)
        )
        ratios = (f"{samples.ratio(how, without):.2f}" for how in (observed, silent))
        times = (f"{samples.median(how) * 1e6:.0f}" for how in (observed, without))
        yield _row(driver, kind, *times, *ratios)


def _judgement_row(driver: str, samples: Samples) -> str:
    judged, without = observation.JUDGED, observation.UNJUDGED
    times = (f"{samples.median(how) * 1e3:.2f}" for how in (judged, without))
    ratios = (f"{samples.ratio(how, without):.2f}" for how in (judged, observation.SILENT))
    return _row(driver, "", *times, *ratios)


def _clone_rows(samples: Samples) -> Iterator[str]:
    for backend in clones.BACKENDS:
        waits, plain = clones.names(backend)
        if waits in samples.rounds:
            yield _row(
                backend, "a test waits", f"{samples.median(waits) * 1e3:.3f}", f"{samples.ratio(waits, plain):.3f}"
            )
            yield _row(backend, plain.partition(": ")[2], f"{samples.median(plain) * 1e3:.3f}")


def _suite_rows(samples: Samples) -> Iterator[str]:
    for clock in suite.CLOCKS:
        judged, without = suite.name(clock, suite.JUDGED), suite.name(clock, suite.UNJUDGED)
        times = (f"{samples.median(how):.2f}" for how in (judged, without))
        yield _row("", clock, *times, f"{samples.ratio(judged, without):.2f}")


def _property_row(backend: str, samples: Samples) -> str:
    isolated, by_hand = properties.ISOLATED, properties.BY_HAND
    times = (f"{samples.median(way) * 1e3:.2f}" for way in (isolated, by_hand))
    return _row(backend, "", *times, f"{samples.ratio(isolated, by_hand):.2f}")


def _trivial_rows(samples: Samples) -> Iterator[str]:
    for variant in trivial.VARIANTS:
        active, without = trivial.with_and_without(variant)
        first, second = samples.median(active) * 1e6, samples.median(without) * 1e6
        yield _row("", variant, f"{first:.0f}", f"{second:.0f}", f"{samples.over(active, without) * 1e6:+.0f}")


def _row(*cells: str) -> str:
    first, second, *figures = cells
    left = f"  {first:{_WIDTHS[0]}}{second:{_WIDTHS[1]}}"
    return (left + "".join(f"{cell:>{width}}" for cell, width in zip(figures, _WIDTHS[2:], strict=False))).rstrip()
