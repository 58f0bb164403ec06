"""What `-p harness` watches and judges a test with, switched on and off between contestants."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.stage import Stage
from harness.config.markers import Request as Wanted
from harness.detectors.catalogue import all_rules
from harness.gate.allowances import Allowances
from harness.gate.selection import known_codes
from harness.isolation.observer import Observer
from harness.observe.facts import Phase, Request
from harness.observe.listen import listening
from harness.observe.recorder import CURRENT, PoolFacts, Recorder
from harness.run.rules import Rules
from harness.run.watch import Watch

_ROOT = Path(__file__).parent.parent


class Watching:
    """All stable rules, on a stage.

    Args:
        stage: whose captured engines are described to the listeners.
    """

    def __init__(self, stage: Stage) -> None:
        rules = all_rules()
        known = known_codes(rules)
        selected = frozenset(rule.code for rule in rules if rule.stable and not rule.opt_in)
        allowances = Allowances(_ROOT, known, selected, (), None)
        chosen = Rules(rules, known, selected, allowances, None, None)
        self._deaf = ExitStack()
        self._stage = stage
        self._watch = Watch(chosen, _ROOT, lambda path: False, lambda: stage.registry, self._observe, dict)

    def start(self) -> None:
        """Attach every listener."""
        self._watch.start()

    def stop(self) -> None:
        """Take every listener back.

        Raises:
            RuntimeError: a listener failed, so that what was measured is not what a test costs.
        """
        self._watch.close()
        if self._watch.tape.disabled:
            raise RuntimeError(f"a listener was switched off: {self._watch.tape.disabled[0]}")

    def start_deaf(self) -> None:
        """Attach, wherever harness listens to SQLAlchemy, a listener that does nothing."""
        deaf = _Deaf(lambda pool: PoolFacts("", False, own=False), lambda path: False)
        self._deaf.callback(self._observe, None)
        self._observe(self._deaf.enter_context(listening(deaf)))

    def stop_deaf(self) -> None:
        """Take those back."""
        self._deaf.close()

    def _observe(self, observer: Observer | None) -> None:
        self._stage.target.pinned.observer = observer

    def begin(self) -> None:
        """A test begins."""
        self._watch.begin("benchmarks::test")

    def judge(self) -> None:
        """A test is judged, after its function and after its teardown.

        Raises:
            RuntimeError: something was found: an application that is right is to be measured.
        """
        verdict = self._watch.verdict(Wanted(), passed=True)
        if verdict.records:
            raise RuntimeError(f"{verdict.records[0].code}: {verdict.records[0].message}")
        self.begin()
        self._watch.verdict(Wanted(), passed=None)


class _Deaf(Recorder):
    """Hears nothing."""

    def guarded(self, listener: Callable[..., Any]) -> Callable[..., Any]:
        """Return a listener that does nothing."""
        return lambda *given: None


def in_request() -> None:
    """Let the running code belong to a request from now on, until its context ends."""
    CURRENT.set(Request(0, "http", "GET", "/", 0.0, phase=Phase.ENDPOINT))
