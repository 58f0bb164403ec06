"""All that a run has to tell, in one value: every report is made from it and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.gate.record import Record


@dataclass(slots=True, kw_only=True)
class Results:
    """The outcome of a run.

    Attributes:
        version: harness's version.
        databases: what the tests ran on, such as `sqlite` or `container postgres:17`.
        root: the project's directory, absolute; only for reading excerpts, never shown.
        tests, requests, statements: how many there were.
        records: every finding once, also accepted ones.
        timelines: one per test that touched the database, as `harness.report.timeline` made them; only if a report
            that shows them was asked for.
        comparison: what differs between the databases of the run, as plain values; None if there is one database.
    """

    version: str
    databases: list[str]
    root: str
    tests: int = 0
    requests: int = 0
    statements: int = 0
    records: list[Record] = field(default_factory=list)
    timelines: list[dict[str, Any]] = field(default_factory=list)
    comparison: dict[str, Any] | None = None

    @property
    def open(self) -> list[Record]:
        """The findings that nobody has accepted."""
        return [record for record in self.records if record.suppressed is None]
