"""Compares what tests do on several databases: each tells on its report, and whoever sums up tells the differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.observe.queries import TEST
from harness.queries.shapes import key_of
from harness.report.divergence import Comparison, Ran, Sent, compare
from harness.run.budgets import recorded_as
from harness.run.databases import database_of
from harness.run.definitions import is_property

if TYPE_CHECKING:
    import pytest

    from harness.observe.queries import Counter, Counting, Query

#: The attribute of a test's report that carries what is compared, from pytest-xdist's workers too: plain values.
COMPARED = "harness_compared"
#: How many statements of a test are compared one by one.
_ENOUGH = 500


class Comparing:
    """What the tests of a run on several databases did.

    Args:
        databases: their names.
        counting: what counts statements.
    """

    def __init__(self, databases: tuple[str, ...], counting: Callable[[], Counting]) -> None:
        self._databases = databases
        self._counting = counting
        self._counter: Counter | None = None
        self._statements: list[tuple[str, str]] | None = None
        self._sent = 0
        #: By test, then by database.
        self._runs: dict[str, dict[str, Ran]] = {}
        self._unasked: dict[str, None] = {}

    # -- in the process that runs a test ---------------------------------------------------------------------------

    def begin(self) -> None:
        """A test's function is about to be called."""
        self._counter = self._counting().open()

    def end(self) -> None:
        """A test's function is done."""
        counter, self._counter = self._counter, None
        if counter is not None:
            self._counting().close(counter)
            sent = [query for query in counter.queries if not _by_chance(query)]
            self._sent = len(sent)
            self._statements = [(key_of(query.sql), _by(query)) for query in sent[:_ENOUGH]]

    def carry(self, item: pytest.Item, report: pytest.TestReport, lacking: bool) -> None:
        """Give what a test did to its report, which also reaches the process that sums up.

        Args:
            item: the test.
            report: of one of its phases.
            lacking: whether its database cannot do what it requires.
        """
        statements, sent = self._statements, self._sent
        self._statements, self._sent = None, 0
        told: dict[str, Any] = {
            "test": recorded_as(item),
            "database": database_of(item),
            "sent": sent,
            "statements": None if is_property(item) else statements,
            "lacks": lacking,
        }
        setattr(report, COMPARED, told)

    # -- in the process that sums up -------------------------------------------------------------------------------

    def logged(self, report: pytest.TestReport, findings: list[dict[str, Any]]) -> None:
        """Take note of a report, of this process or of a worker.

        Args:
            report: of one phase of a test.
            findings: what was found in it.
        """
        told = getattr(report, COMPARED, None)
        if told is None:
            return
        if told["database"] is None:
            if told["sent"]:
                self._unasked[told["test"]] = None
            return
        by_database = self._runs.setdefault(told["test"], {})
        if report.when == "setup":  # also of a test that is run again
            by_database[told["database"]] = Ran()
        ran = by_database.setdefault(told["database"], Ran())
        ran.lacks |= told["lacks"] and report.skipped
        ran.findings += tuple(map(_finding, (one for one in findings if one["suppressed"] is None)))
        if told["statements"] is not None:
            ran.statements = tuple(Sent(key, by) for key, by in told["statements"])
            ran.sent = told["sent"]
        outcome = _outcome(report)
        if outcome != "passed":
            ran.outcome, ran.why = outcome, _why(report)

    def finish(self) -> Comparison:
        """Return what differs; a test whose function was not called somewhere is not compared by statements."""
        return compare(self._databases, self._runs, self._unasked)


def _by_chance(query: Query) -> bool:
    """Tell whether a statement of the test reads an object that Python's garbage collector may have left in place."""
    return bool(query.load) and query.sender == TEST


def _by(query: Query) -> str:
    return ", ".join(str(part) for part in (query.load, query.sender, query.site) if part)


def _finding(record: dict[str, Any]) -> str:
    location = record["location"]
    place = f" at {location['path']}:{location['line']}" if location else ""
    return f"{record['code']} {record['name']}{place}"


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed and report.when != "call":
        return "error"
    return str(report.outcome)


def _why(report: pytest.TestReport) -> str:
    """Return the first line of what a report says."""
    said: Any = report.longrepr
    crash = getattr(said, "reprcrash", None)
    if crash is not None:
        said = crash.message
    elif isinstance(said, tuple):
        said = said[2]
    lines = str(said or "").strip().splitlines()
    return lines[0].strip().removeprefix("Failed: ") if lines else ""
