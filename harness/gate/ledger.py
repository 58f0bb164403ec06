"""All findings of a run, each once: what many tests and several processes have met, merged in one order.

A finding that is open anywhere is open: an acceptance in one test does not hide it in another, and then only the tests
in which it is open are counted. The result does not depend on the order in which tests ran or processes reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness.gate.record import Record

_SEVERITIES = ("error", "warning", "info")
_ACCEPTED = ("marker", "comment", "ini", "baseline")


class Ledger:
    """Collects records."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str | None], Record] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Count some findings in."""
        for record in records:
            key = (record.fingerprint, record.suppressed)
            known = self._records.get(key)
            self._records[key] = record if known is None else _merge(known, record)

    def absorb(self, wire: Iterable[dict[str, Any]]) -> None:
        """Count in what another process's `to_wire` told."""
        self.add(Record.from_wire(data) for data in wire)

    def to_wire(self) -> list[dict[str, Any]]:
        """Return what another process's `absorb` understands: plain values only."""
        return [record.to_wire() for record in self._records.values()]

    def standing(self) -> tuple[Record, ...]:
        """Return every finding once for each way in which it was accepted or not, in the order in which they came."""
        return tuple(self._records.values())

    def records(self) -> list[Record]:
        """Return every finding once, the worst first, then by code and place."""
        merged: dict[str, Record] = {}
        for record in sorted(self._records.values(), key=lambda record: _rank(record.suppressed)):
            known = merged.get(record.fingerprint)
            if known is None:
                merged[record.fingerprint] = record
            elif known.suppressed is not None:
                merged[record.fingerprint] = replace(_merge(known, record), suppressed=known.suppressed)
        return sorted((_settled(record) for record in merged.values()), key=_order)


def _merge(one: Record, other: Record) -> Record:
    """Return two records as one; the one whose evidence is shown is found without regard to who came first."""
    first, second = sorted((one, other), key=_representative)
    if second.graph:
        # Read in the source, not met: each process reads the source, and that is no further time that it arose.
        return first
    return first.merged(second)


def _representative(record: Record) -> tuple[Any, ...]:
    line = record.location.line if record.location else 0
    return (record.graph, _SEVERITIES.index(record.severity), record.test or "", line, record.message)


def _rank(suppressed: str | None) -> int:
    return -1 if suppressed is None else _ACCEPTED.index(suppressed)


def _settled(record: Record) -> Record:
    return replace(record, tests=tuple(sorted(record.tests)))


def _order(record: Record) -> tuple[Any, ...]:
    place = (record.location.path, record.location.line) if record.location else ("", 0)
    return (_SEVERITIES.index(record.severity), record.code, *place, record.fingerprint)
