"""Watches the tests of this process: a tape for each, findings from the tape, a verdict from the findings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from harness.callsite import CallSite, code_of
from harness.config.markers import Request as Wanted
from harness.detectors.finding import Finding
from harness.detectors.judge import judge, judge_graph
from harness.detectors.migrations.models_and_migrations_differ import RULE as MIGRATIONS
from harness.detectors.migrations.models_and_migrations_differ import compare
from harness.detectors.upkeep.listener_disabled import RULE as DISABLED
from harness.detectors.upkeep.unused_allowance import unused_allowance
from harness.detectors.versions import installed
from harness.gate.allowances import Unused, Verdict
from harness.gate.ledger import Ledger
from harness.gate.record import Record, record_of
from harness.observe.recorder import PoolFacts, Recorder, unobserved
from harness.observe.tape import Tape
from harness.run.arrival import on_arrival
from harness.run.fold import Fold
from harness.run.rules import Rules

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from harness.isolation.capture import Captor
    from harness.isolation.observer import Observer
    from harness.observe.asgi import Requests
    from harness.observe.queries import Counting

#: How many applications are kept for the graph layer: a factory may make one per test.
_ENOUGH_APPS = 100


class Watch:
    """The facts and findings of one process.

    Args:
        rules: what judges.
        root: the project's directory.
        is_test: tells whether a file belongs to the tests.
        registry: the captured engines, once there are any.
        observe: lets the captured engines' connections tell of what happens on them; None lets them be silent again.
        frozen: the columns whose time stands still in the running test, by table.
        values: tells whether statements that are counted keep their parameters; asked when they are first counted.
    """

    def __init__(
        self,
        rules: Rules,
        root: Path,
        is_test: Callable[[str], bool],
        registry: Callable[[], Captor | None],
        observe: Callable[[Observer | None], None],
        frozen: Callable[[], Mapping[str, frozenset[str]]],
        *,
        values: Callable[[], bool] = lambda: False,
    ) -> None:
        self.rules = rules
        self._root = root
        self._observe = observe
        self._registry = registry
        self._frozen = frozen
        self._versions = installed()
        self._recorder = Recorder(self._describe, is_test)
        self._requests: Requests | None = None
        self._apps: dict[Hashable, Any] = {}
        self._known: WeakSet[Any] = WeakSet()
        self._overridden: set[str] = set()
        self._values = values
        self._counting: Counting | None = None
        self._listens = False
        self._folded = Fold()
        self._stack = ExitStack()

    # -- listening -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen from now on, or from the moment the libraries are imported."""
        self._stack.enter_context(on_arrival("sqlalchemy", self._listen))
        self._start_with_requests()

    def _start_with_requests(self) -> None:
        self._listens = True
        self._stack.enter_context(on_arrival("starlette.applications", self._listen_to_requests))
        self._stack.enter_context(on_arrival("fastapi.routing", self._listen_to_endpoints))

    def close(self) -> None:
        """Take every listener back."""
        self._stack.close()

    def _listen(self) -> None:
        from harness.observe.listen import listening

        self._stack.callback(self._observe, None)
        self._observe(self._stack.enter_context(listening(self._recorder)))

    def _listen_to_requests(self) -> None:
        import sqlalchemy  # noqa: F401 - whole, before the listeners that are attached at its arrival

        from harness.observe.listen import listening_to_requests

        self._stack.enter_context(listening_to_requests(self._handlers()))

    def _listen_to_endpoints(self) -> None:
        import sqlalchemy  # noqa: F401 - as above

        from harness.observe.listen import listening_to_endpoints

        self._stack.enter_context(listening_to_endpoints(self._handlers()))

    def counting(self) -> Counting:
        """Return what counts statements; it listens from now on, also in a run without rules."""
        if self._counting is None:
            from harness.observe.queries import Counting

            self._counting = Counting(self._recorder, values=self._values())
            self._stack.enter_context(on_arrival("sqlalchemy", self._count))
            if not self._listens:
                self._start_with_requests()
        return self._counting

    def _count(self) -> None:
        assert self._counting is not None
        self._stack.enter_context(self._counting.attached())

    def _handlers(self) -> Requests:
        if self._requests is None:
            from harness.observe.asgi import Requests

            self._requests = Requests(self._recorder, self.app_seen)
        return self._requests

    def app_seen(self, app: Any) -> None:
        """Remember an application for the graph layer."""
        if app not in self._known and len(self._apps) < _ENOUGH_APPS:
            self._known.add(app)
            self._apps.setdefault(frozenset(map(_route, getattr(app, "routes", ()))), app)

    def engine_made(self, engine: Engine) -> None:
        """Note an engine that the application made."""
        from harness.observe.engines import note_birth

        note_birth(self._recorder, engine)

    def _describe(self, pool: Any) -> PoolFacts:
        registry = self._registry()
        found = registry.engine_of(pool) if registry is not None else None
        if found is None:
            dialect = getattr(pool, "_dialect", None)
            return PoolFacts(_driver(dialect), bool(getattr(dialect, "is_async", False)), own=False)
        _, known = found
        return PoolFacts(_driver(known.dialect), known.asynchronous, known.own)

    # -- a test ----------------------------------------------------------------------------------------------------

    def begin(self, test: str) -> None:
        """From now on what happens belongs to this test."""
        self._recorder.tape = Tape(test)
        self._folded = Fold()

    def fold(self) -> None:
        """Judge what has happened since the last time, and go on with an empty tape: a part of the test is over.

        Hundreds of examples of a property would otherwise be held in memory, and be compared with each other.
        """
        tape = self.tape
        self._folded.add(tape, self._found(tape))
        self._recorder.tape = Tape(tape.test)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens meanwhile belongs to no test and no request, except that a listener may fail."""
        tape = self.tape
        self._recorder.tape = Tape("", disabled=tape.disabled)
        try:
            with unobserved():
                yield
        finally:
            self._recorder.tape = tape

    @property
    def tape(self) -> Tape:
        """The facts since `begin`, or since `fold`."""
        return self._recorder.tape

    @property
    def folded(self) -> Fold:
        """What was found and counted before `fold`."""
        return self._folded

    def verdict(self, wanted: Wanted, *, passed: bool | None) -> Verdict:
        """Judge what has happened since `begin`.

        Args:
            wanted: what the test's markers say.
            passed: whether the test has passed so far; None where that has been asked already.
        """
        records = [*self._folded.records, *self._found(self.tape)]
        if self._recorder.disabled:
            passed = None
        verdict = self.rules.allowances.judge(records, wanted, passed=passed)
        return replace(verdict, records=_once(verdict.records)) if verdict.records else verdict

    def _found(self, tape: Tape) -> list[Record]:
        tape.frozen = self._frozen()
        for request in tape.requests:
            self._overridden.update(known.name for known in request.overridden)
        selected = self.rules.selected
        if self._recorder.disabled:
            # What is no longer recorded looks as if it had not happened, and that is what many rules look for.
            selected = selected & {DISABLED.code}
        return [record_of(finding, tape.test, self._root) for finding in judge(tape, selected, self._versions)]

    # -- the application -------------------------------------------------------------------------------------------

    def graph_verdict(self, differences: Callable[[], list[str]]) -> Verdict:
        """Judge the dependency trees and sources of the applications that tests have met, and the migrations.

        Args:
            differences: compares models and migrations; called only if the rule about them is selected.
        """
        findings: list[Finding] = []
        if MIGRATIONS.code in self.rules.selected:
            findings += compare(differences())
        for app in self._apps.values():
            from harness.graph.build import build  # it imports SQLAlchemy, which a run without an application may not

            graph = build(app, original=self._original, overridden=self._overridden)
            findings += judge_graph(graph, self.rules.selected, self._versions)
        return self.rules.allowances.judge([record_of(finding, None, self._root) for finding in findings])

    def _original(self, engine: Engine) -> Any:
        from harness.graph.engines import as_it_is, describe

        registry = self._registry()
        known = registry.known(engine) if registry is not None else None
        return describe(known.dialect, known.pool) if known is not None else as_it_is(engine)

    def told_unused(self, unused: list[Unused]) -> Verdict:
        """Return the findings about allowances that nothing needed."""
        if "H901" not in self.rules.selected:
            return Verdict(())
        findings = [unused_allowance(one.kind, one.text, one.where, _site(one, self._root)) for one in unused]
        return Verdict(tuple(record_of(finding, None, self._root) for finding in findings))


def _once(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return what arose in several requests of one test as one finding, which tells how often."""
    ledger = Ledger()
    ledger.add(records)
    return ledger.standing()


def _site(unused: Unused, root: Path) -> CallSite | None:
    place = unused.location
    return CallSite(str(root / place.path), place.line, place.function) if place is not None else None


def _route(route: Any) -> Hashable:
    """Return what tells a route from others, also from the same one of an application made anew."""
    endpoint = getattr(route, "endpoint", None) or getattr(route, "original_router", None)
    code = code_of(endpoint)
    return (getattr(route, "path", ""), code or id(endpoint))


def _driver(dialect: Any) -> str:
    name, driver = getattr(dialect, "name", "unknown"), getattr(dialect, "driver", "")
    return f"{name}+{driver}" if driver else str(name)
