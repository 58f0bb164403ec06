"""What the tests of a run sent, of this process or a worker's: written to the ledger, or compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.queries.counts import Count, shrunk
from harness.queries.ledger import KIND, QueryLedger
from harness.report.order import counted

#: How many tests a note names.
_NAMED = 5


class Tally:
    """Gathers counts.

    Args:
        ledger: what is recorded.
    """

    def __init__(self, ledger: QueryLedger) -> None:
        self._ledger = ledger
        #: By server, then by test; a test that is run again counts as it did the last time.
        self._counts: dict[str, dict[str, list[Count]]] = {}
        self._gone: dict[str, set[str]] = {}

    def heard(self, told: Mapping[str, Any]) -> None:
        """Take note of what a test's report carries."""
        counts = [Count.from_wire(wire) for wire in told["counts"]]
        self._counts.setdefault(told["database"], {})[told["test"]] = counts

    def heard_of_process(self, told: Mapping[str, Any]) -> None:
        """Take note of the recorded tests that a process could not find, though it looked at the whole suite."""
        self._gone.setdefault(told["database"], set()).update(told["gone"])

    def finish(self, version: str) -> list[str]:
        """Write the ledger if that was asked for; return what is to be said.

        Raises:
            ConfigError: it cannot be written.
        """
        if not self._counts:  # no test has passed: perhaps the modules could not even be imported
            return []
        if self._ledger.recording:
            return [self._record(database, version) for database in sorted(self._counts)]
        return [line for database in sorted(self._counts) for line in self._notes(database)]

    def _record(self, database: str, version: str) -> str:
        gone = sorted(self._gone.get(database, ()))
        added, changed, removed = self._ledger.record(self._counts[database], database, gone, version)
        name = self._ledger.file.shown
        return f"query ledger {name} ({database}): {counted(added, 'test')} added, {changed} changed, {removed} removed"

    def _notes(self, database: str) -> Iterable[str]:
        head = f"query ledger {self._ledger.file.shown} ({database})"
        known = {test: self._ledger.of(test, database) for test in self._counts[database]}
        new = [test for test, counts in self._counts[database].items() if known[test] is None and counts]
        fewer = {
            test: less for test, counts in self._counts[database].items() if (less := shrunk(counts, known[test] or ()))
        }
        gone = sorted(self._gone.get(database, ()))
        if fewer:
            yield f"{head}: {counted(len(fewer), 'test')} sent fewer queries than recorded"
            yield from _named(f"{test}: {', '.join(less)}" for test, less in sorted(fewer.items()))
        if new:
            yield f"{head}: {counted(len(new), 'test')} not recorded"
            yield from _named(sorted(new))
        if gone:
            yield f"{head}: {counted(len(gone), 'recorded test')} not there any more"
            yield from _named(gone)
        if fewer or new or gone:
            yield f"  record what is so now: pytest {KIND.flag}"


def _named(lines: Iterable[str]) -> Iterable[str]:
    every = list(lines)
    yield from (f"  {line}" for line in every[:_NAMED])
    if len(every) > _NAMED:
        yield f"  and {len(every) - _NAMED} more"
