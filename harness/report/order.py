"""In which order findings are told, and how they are counted: the same in every report, whatever order they came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from harness.gate.record import Record

SEVERITIES = ("error", "warning", "info")
SUPPRESSIONS = ("marker", "comment", "ini", "baseline")


def ordered(records: Iterable[Record]) -> list[Record]:
    """Return the worst first, then by code, file and line."""
    return sorted(records, key=_key)


def by_rule(records: Iterable[Record]) -> list[tuple[str, list[Record]]]:
    """Return codes with their findings: the rule with the worst finding first."""
    worst: dict[str, int] = {}
    found = ordered(records)
    for record in found:
        worst.setdefault(record.code, SEVERITIES.index(record.severity))
    found.sort(key=lambda record: (worst[record.code], record.code))
    return [(code, list(group)) for code, group in groupby(found, key=lambda record: record.code)]


def tests_of(records: Iterable[Record]) -> list[str]:
    """Return every test in which one of the findings arose, once."""
    return list(dict.fromkeys(test for record in records for test in record.tests))


def counted(number: int, noun: str) -> str:
    """Return `1 test`, `2 tests`, `0 queries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{number:,} {noun}s"


def tally(records: Sequence[Record]) -> str:
    """Return `3 errors, 2 warnings`; empty if there are none."""
    numbers = Counter(record.severity for record in records)
    return ", ".join(
        counted(numbers[severity], severity) if severity != "info" else f"{numbers[severity]} info"
        for severity in SEVERITIES
        if numbers[severity]
    )


def accepted(records: Iterable[Record]) -> str:
    """Return `3 accepted: 2 by baseline, 1 by comment`; empty if none was."""
    numbers = Counter(record.suppressed for record in records if record.suppressed is not None)
    if not numbers:
        return ""
    most_first = sorted(numbers.items(), key=lambda pair: (-pair[1], SUPPRESSIONS.index(pair[0])))
    return f"{numbers.total()} accepted: " + ", ".join(f"{number} by {how}" for how, number in most_first)


def _key(record: Record) -> tuple[object, ...]:
    location, request = record.location, record.request
    return (
        SEVERITIES.index(record.severity),
        record.code,
        location is None,
        location.path if location else "",
        location.line if location else 0,
        str(request or ""),
        record.message,
        record.fingerprint,
    )
