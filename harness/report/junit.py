"""A test's findings as JUnit properties, for whoever reads pytest's `--junitxml`."""

from __future__ import annotations

from collections.abc import Iterable

from harness.gate.record import Record
from harness.report.markup import one_line
from harness.report.order import ordered

NAME = "harness.finding"


def properties(records: Iterable[Record]) -> list[tuple[str, str]]:
    """Return name and value pairs for the findings of one test that nobody has accepted.

    A value is `H201 app/items.py:18 ` and the fact.
    """
    return [(NAME, _value(record)) for record in ordered(records) if record.suppressed is None]


def _value(record: Record) -> str:
    place = f"{record.location.path}:{record.location.line} " if record.location else ""
    return one_line(f"{record.code} {place}{record.message}")
