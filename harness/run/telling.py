"""What the whole run has to tell: gathered from every test, of this process or a worker's, and told once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness import __version__
from harness.config.settings import Settings
from harness.errors import HarnessError
from harness.gate.allowances import Verdict
from harness.gate.ledger import Ledger
from harness.gate.record import Record
from harness.gate.results import Results
from harness.gate.selection import failing
from harness.queries.tally import Tally
from harness.report.destinations import Destination, check, destinations, write_all
from harness.report.divergence import Comparison, section
from harness.report.markup import Line
from harness.report.terminal import summary
from harness.run.rules import Rules


class Telling:
    """Gathers and tells.

    Args:
        settings: what the user asked for.
        rules: what judges.
        root: the project's directory.
        environment: tells whether the run belongs to GitHub Actions, which then gets annotations.

    Raises:
        ConfigError: a report's format is not known, or it cannot be written.
    """

    def __init__(
        self, settings: Settings, rules: Rules, root: Path, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._root = root
        self._ledger = Ledger()
        self._databases: dict[str, None] = {}
        self._requests = self._statements = 0
        self._timelines: list[dict[str, Any]] = []
        self._tally = Tally(rules.ledger) if rules.ledger is not None else None
        #: Tests that have run, and tests that could not meet all that they would meet: failed for reasons of their own,
        #: skipped, left out.
        self.tests = self.missed = 0
        source = settings.source("report")
        self.reports = destinations(settings.report, source, root)
        check(self.reports, source)
        if environment.get("GITHUB_ACTIONS") == "true" and not any(one.format == "github" for one in self.reports):
            self.reports = (*self.reports, Destination("github", None, "github"))
        self.results: Results | None = None
        #: What differs between the databases of the run.
        self.comparison: Comparison | None = None

    @property
    def wants_timelines(self) -> bool:
        """Tell whether a report shows timelines."""
        return any(report.wants_timelines for report in self.reports)

    def heard(self, told: Mapping[str, Any]) -> None:
        """Take note of what a test's report carries."""
        self._ledger.absorb(told["records"])
        self.tests += told["tests"]
        self._requests += told["requests"]
        self._statements += told["statements"]
        if told["timeline"] is not None:
            self._timelines.append(told["timeline"])
        if self._tally is not None and told["queries"] is not None:
            self._tally.heard(told["queries"])

    def heard_of_process(self, told: Mapping[str, Any]) -> None:
        """Take note of what a process tells at its end; this one tells it too."""
        self._ledger.absorb(told["records"])
        self._databases.update(dict.fromkeys(told["databases"]))
        if told["allowances"] is not None:
            self._rules.allowances.absorb(told["allowances"])
        if self._tally is not None and told["queries"] is not None:
            for queries in told["queries"]:
                self._tally.heard_of_process(queries)

    def add(self, verdict: Verdict) -> None:
        """Take note of findings of the run itself."""
        self._ledger.add(verdict.records)

    def finish(self) -> Results:
        """Return all there is to tell."""
        self.results = Results(
            version=__version__,
            databases=list(self._databases),
            root=str(self._root),
            tests=self.tests,
            requests=self._requests,
            statements=self._statements,
            records=self._ledger.records(),
            timelines=sorted(self._timelines, key=lambda timeline: str(timeline.get("test", ""))),
            comparison=self.comparison.to_wire() if self.comparison is not None else None,
        )
        return self.results

    def failing(self, records: Iterable[Record]) -> list[Record]:
        """Return the findings that fail the test, or the run, in which they arose."""
        return failing(records, self._settings.fail_on)

    # -- telling ---------------------------------------------------------------------------------------------------

    def summary(self, verbosity: int) -> list[Line]:
        """Return the lines of the summary section."""
        return summary(self.results, verbosity) if self.results is not None else []

    def compared(self, verbosity: int) -> list[Line]:
        """Return the lines of the section about several databases."""
        return section(self.comparison, verbosity) if self.comparison is not None else []

    def write(self, *, complete: bool) -> tuple[list[str], list[HarnessError]]:
        """Write the reports, the baseline and the query ledger; return what is to be said of that, and what failed.

        Args:
            complete: whether the whole suite has run; if not, nothing is taken out of the baseline.
        """
        assert self.results is not None
        written = write_all(self.results, self.reports, self._rules.all)
        lines, failures = list(written.lines), list[HarnessError](written.failures)
        baseline = self._rules.baseline
        if baseline is not None and baseline.updating:
            try:
                change = baseline.update(
                    self.results.records,
                    __version__,
                    lambda entry: complete and self._rules.allowances.would_find(entry),
                )
                lines.append(str(change))
            except HarnessError as error:
                failures.append(error)
        if self._tally is not None:
            try:
                lines += self._tally.finish(__version__)
            except HarnessError as error:
                failures.append(error)
        return lines, failures
