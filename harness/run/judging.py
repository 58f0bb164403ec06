"""Findings as pytest's hooks meet them: judged when a test's function is done, told to whoever sums up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from harness.config.markers import Request as Wanted
from harness.config.markers import request_of
from harness.errors import HarnessError
from harness.gate.allowances import Verdict
from harness.gate.record import Record
from harness.gate.sources import loaded_sources
from harness.report import junit
from harness.report.markup import Line, Style
from harness.report.message import block_text
from harness.report.order import counted
from harness.report.timeline import timeline_of
from harness.run.budgets import Budgets, recorded_as, shows_values
from harness.run.comparing import Comparing
from harness.run.definitions import is_property
from harness.run.ownership import test_files
from harness.run.rules import rules_of
from harness.run.telling import Telling
from harness.run.watch import Watch

if TYPE_CHECKING:
    from harness.isolation.observer import Observer
    from harness.run.databases import Databases
    from harness.run.run import Run
    from harness.run.served import Served

#: The attribute of a test's report that carries its findings, from pytest-xdist's workers too: plain values.
CARRIED = "harness_told"
#: Options of pytest that leave tests out; under pytest-xdist only the workers see which.
_CHOOSING = (
    "keyword",
    "markexpr",
    "deselect",
    "lf",
    "stepwise",
    "ignore",
    "ignore_glob",
    "continue_on_collection_errors",
)
_MARKUP: dict[Style, dict[str, bool]] = {
    "code": {"bold": True},
    "error": {"red": True},
    "warning": {"yellow": True},
    "label": {"light": True},
    "dim": {"light": True},
    "place": {"cyan": True},
    "title": {"bold": True},
}


class Judging:
    """Watches and judges the tests of this process, and, unless this is a worker, tells about all of them.

    Raises:
        ConfigError: an option that has to do with findings cannot be used.
    """

    def __init__(self, config: pytest.Config, run: Run, databases: Databases) -> None:
        self._config = config
        self._databases = databases
        self._run = run
        self.rules = rules_of(run.settings, config.rootpath)
        self.telling = Telling(run.settings, self.rules, config.rootpath, _environment(config))
        is_test = test_files(config.rootpath, config.getini("python_files"))
        values = partial(shows_values, config)
        self.watch = Watch(
            self.rules,
            config.rootpath,
            is_test,
            lambda: run.registry,
            self._observe,
            run.frozen_times,
            values=values,
        )
        self.budgets = Budgets(self.watch, self.rules.ledger, lambda: run.plan.backend, databases.backends)
        #: Compares what tests do on several databases.
        self.comparing = Comparing(databases.names, self.watch.counting) if databases.several else None
        self._told: dict[str, dict[str, Any]] = {}
        self._lines: list[str] = []
        self._failures: list[HarnessError] = []
        self._partial = False
        self._watching = bool(self.rules.selected)
        run.while_preparing = self.watch.aside
        if self._watching:
            run.when_engine_made = self.watch.engine_made
            self.watch.start()

    def _observe(self, observer: Observer | None) -> None:
        for served in self._run.served:
            served.target.pinned.observer = observer

    @property
    def is_worker(self) -> bool:
        """Tell whether pytest-xdist runs this process for another one that sums up."""
        return hasattr(self._config, "workerinput")

    def close(self) -> None:
        """Stop listening."""
        self.watch.close()

    # -- a test ----------------------------------------------------------------------------------------------------

    def begin(self, item: pytest.Item) -> None:
        """A test begins."""
        self.watch.begin(item.nodeid)

    def fold(self) -> None:
        """A part of a test is over, such as an example of a property: what is found so far fails the whole, later."""
        self.watch.fold()

    def set_up_failed(self, item: pytest.Item) -> None:
        """A test could not be set up: what was found so far is told, and decides nothing."""
        self._tell(item, "setup", self._verdict(request_of(item), passed=False), passed=False)

    def calling(self, item: pytest.Item) -> None:
        """A test's function is about to be called."""
        self.budgets.begin(request_of(item), is_property=is_property(item))
        if self.comparing is not None:
            self.comparing.begin()

    def called(self, item: pytest.Item, *, passed: bool) -> None:
        """A test's function is done.

        Raises:
            pytest.fail.Exception: it has passed, and what was found, or how many statements it sent, fails it.
        """
        if self.comparing is not None:
            self.comparing.end()
        wanted = request_of(item)
        problems, queries = self.budgets.end(recorded_as(item), wanted, passed=passed)
        verdict = self._verdict(wanted, passed=passed)
        self._tell(item, "call", verdict, passed=passed, queries=queries)
        if passed:
            self._fail(verdict, problems)
        elif any(record.suppressed is None for record in verdict.records):
            shown = "\n\n".join(block_text(record) for record in verdict.records if record.suppressed is None)
            item.add_report_section("call", "harness findings", shown)

    def torn_down(self, item: pytest.Item, *, passed: bool) -> None:
        """A test is over: only now is known which of its allowances nothing needed.

        Raises:
            pytest.fail.Exception: its teardown has passed, and what was found since the function was done fails it.
        """
        verdict = self._verdict(_lenient(request_of(item)), passed=passed or None)
        unused = self.watch.told_unused(list(verdict.unused))
        verdict = replace(verdict, records=(*verdict.records, *unused.records))
        if verdict.records or self.watch.tape.requests or self.watch.tape.statements:
            self._tell(item, "teardown", verdict, passed=passed)
        if passed:
            self._fail(verdict)

    def _verdict(self, wanted: Wanted, *, passed: bool | None) -> Verdict:
        return self.watch.verdict(wanted if passed else _lenient(wanted), passed=passed)

    def _fail(self, verdict: Verdict, problems: Sequence[str] = ()) -> None:
        bad = self.telling.failing(verdict.records)
        if not bad and not verdict.unmet and not problems:
            return
        parts = [f"harness: {problem}" for problem in (*problems, verdict.unmet) if problem]
        if bad:
            parts.append(_head(bad))
            parts += [block_text(record) for record in bad]
        raise pytest.fail.Exception("\n\n".join(parts), pytrace=False)

    def _tell(
        self,
        item: pytest.Item,
        phase: str,
        verdict: Verdict,
        *,
        passed: bool,
        queries: dict[str, Any] | None = None,
    ) -> None:
        tape, folded = self.watch.tape, self.watch.folded
        shown = tape if folded.shown is None or tape.requests else folded.shown
        item.user_properties.extend(junit.properties(verdict.records))
        self._told[phase] = {
            "records": [record.to_wire() for record in verdict.records],
            "passed": passed,
            "tests": int(phase != "teardown"),
            "requests": len(tape.requests) + folded.requests,
            "statements": tape.statements + folded.statements,
            "timeline": timeline_of(shown, self._config.rootpath) if self._shows(shown) else None,
            "queries": queries,
        }
        self.watch.begin(item.nodeid)

    def _shows(self, tape: Any) -> bool:
        return self.telling.wants_timelines and bool(tape.requests or tape.statements)

    def carry(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Give a test's findings to its report, which also reaches the process that sums up."""
        told = self._told.pop(report.when or "", None)
        if told is not None:
            setattr(report, CARRIED, told)
        if self.comparing is not None:
            lacking = report.skipped and self._databases.lacking(item, request_of(item), decided=True)
            self.comparing.carry(item, report, bool(lacking))

    # -- the run ---------------------------------------------------------------------------------------------------

    def logged(self, report: pytest.TestReport) -> None:
        """Take note of a report, of this process or of a worker."""
        told = getattr(report, CARRIED, None)
        if told is not None:
            self.telling.heard(told)
        if self.comparing is not None:
            self.comparing.logged(report, told["records"] if told is not None else [])
        failed_by_itself = report.failed and not (told and told["passed"])
        skipped = report.skipped and not hasattr(report, "wasxfail")
        seen_less = told is not None and any(record["code"] == "H902" for record in told["records"])
        if failed_by_itself or skipped or seen_less:
            self.telling.missed += 1

    def collected(self, items: Sequence[pytest.Item]) -> None:
        """Take note of the tests there are, if all of them were looked at."""
        if not self._partial and self._looks_at_all():
            self.budgets.collected = frozenset(map(recorded_as, items))

    def collected_less(self) -> None:
        """Take note of a module that could not be collected, or did not want to be."""
        self._partial = True

    def deselected(self, items: Sequence[pytest.Item]) -> None:
        """Take note of tests that will not run."""
        self._partial = True
        self.telling.missed += len(items)

    def worker_ended(self, output: dict[str, Any]) -> None:
        """Take note of what a worker of pytest-xdist tells at its end."""
        if "harness" in output:
            self.telling.heard_of_process(output["harness"])

    def finish(self, session: pytest.Session) -> None:
        """Judge the application itself, then tell everything, or hand it to whoever tells."""
        own = self._own(session)
        if self.is_worker:
            self._config.workeroutput["harness"] = own  # type: ignore[attr-defined]  # pytest-xdist's
            return
        if self._config.option.collectonly:
            return
        self.telling.heard_of_process({**own, "allowances": None})
        complete = self._complete(session)
        self.telling.add(self.watch.told_unused(self.rules.allowances.unused(complete=complete)))
        if self.comparing is not None:
            self.telling.comparison = self.comparing.finish()
        results = self.telling.finish()
        bad = [record for record in self.telling.failing(results.records) if not record.tests]
        if bad:
            self._lines.append(f"the run fails by {_codes(bad)}, which no single test can be blamed for")
        lines, self._failures = self.telling.write(complete=complete)
        self._lines += lines
        if bad or self._failures:
            _fail_run(session)

    def _own(self, session: pytest.Session) -> dict[str, Any]:
        """Return what this process has to tell beyond its tests."""
        queries = self.budgets.told_of_process()
        if not self._watching:
            return {"records": [], "databases": [], "allowances": None, "queries": queries}
        app = self._run.loaded_app
        if app is not None:
            self.watch.app_seen(app)
        verdict = self.watch.graph_verdict(self._run.migration_differences)
        self.rules.allowances.survey(loaded_sources(self._config.rootpath))
        return {
            "records": [record.to_wire() for record in verdict.records],
            "databases": self._ran_on() if session.testscollected else [],
            "allowances": self.rules.allowances.to_wire(),
            "queries": queries,
        }

    def _ran_on(self) -> list[str]:
        if self._databases.several:
            return self._databases.described()
        return [_told(served) for served in self._run.served]

    def _complete(self, session: pytest.Session) -> bool:
        """Tell whether the whole suite ran, and nothing kept a test from meeting what it would have met."""
        if self.telling.missed or not self._looks_at_all():
            return False
        return 0 < session.testscollected <= self.telling.tests

    def _looks_at_all(self) -> bool:
        """Tell whether nobody has chosen some of the tests."""
        if self._config.args_source is pytest.Config.ArgsSource.ARGS:
            return False
        return not any(getattr(self._config.option, name, None) for name in _CHOOSING)

    def show(self, reporter: pytest.TerminalReporter) -> None:
        """Write the summary."""
        lines = self.telling.summary(reporter.verbosity)
        problems = self.rules.allowances.problems
        if lines or problems:
            reporter.write_sep("=", "harness findings")
        _write(reporter, lines)
        for problem in (*problems, *map(str, self._failures)):
            reporter.write_line(f"harness: {problem}")
        for line in self._lines:
            reporter.write_line(line)
        if compared := self.telling.compared(reporter.verbosity):
            reporter.write_sep("=", "harness databases")
            _write(reporter, compared)


def _write(reporter: pytest.TerminalReporter, lines: Sequence[Line]) -> None:
    for spans in lines:
        for text, style in spans:
            reporter.write(text, **_MARKUP.get(style, {}))
        reporter.write_line("")


def _environment(config: pytest.Config) -> dict[str, str]:
    """A worker of pytest-xdist must not annotate what its controller annotates."""
    return {} if hasattr(config, "workerinput") else dict(os.environ)


def _told(served: Served) -> str:
    plan = served.plan
    origin = plan.origin if not served.run.several else f"{served.name}, {plan.origin}"
    return f"{plan.backend} ({origin})"


def _lenient(wanted: Wanted) -> Wanted:
    """What is expected of a test is expected of its function; elsewhere it may be found, and need not be."""
    return replace(wanted, expect=())


def _head(bad: Sequence[Record]) -> str:
    return f"harness: {counted(len(bad), 'finding')} in this test: {_codes(bad)}"


def _codes(records: Sequence[Record]) -> str:
    return ", ".join(sorted({record.code for record in records}))


def _fail_run(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
