"""The run as pytest's hooks drive it: which level a statement belongs to at each moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import edge
from harness.config.markers import request_of
from harness.errors import HarnessError, IsolationError
from harness.run import decisions
from harness.run.run import Run

if TYPE_CHECKING:
    from harness.isolation.level import Level
    from harness.run.judging import Judging
    from harness.session.override import Remembered

#: From wide to narrow, as pytest orders them.
_SCOPES = ("session", "package", "module", "class", "function")


life_key = pytest.StashKey["TestLife"]()


def life_of(config: pytest.Config) -> TestLife:
    """Return the run that belongs to a pytest configuration."""
    return config.stash[life_key]


@contextmanager
def told_plainly() -> Iterator[None]:
    """Show an error of harness as its message alone: a walk through harness's own code helps nobody."""
    try:
        yield
    except HarnessError as error:
        raise pytest.fail.Exception(f"harness: {error}", pytrace=False) from None


class TestLife:
    """Turns pytest's phases into levels of isolation."""

    __test__ = False

    def __init__(self, run: Run, active: bool, judging: Callable[[Run], Judging]) -> None:
        self.run = run
        #: Judges the tests, from the moment the run is active.
        self.judging: Judging | None = None
        self._judging = judging
        self._test: Level | None = None
        self._scopes: dict[Any, Level] = {}
        self._overrides: list[Remembered] = []
        self._refusal: HarnessError | None = None
        self._problems: list[IsolationError] = []
        self._isolated = True
        self._running = False
        self._scheduled = False
        run.when_captured = self.join
        run.when_loaded = self._remember_overrides
        run.when_active = self._judge
        if active:
            run.activate()

    @classmethod
    def from_pytest(cls, config: pytest.Config) -> TestLife:
        """Make the run that a pytest configuration asks for.

        It is active if any option was given or the plugin was asked for with `-p harness`. A project that merely has
        harness installed, and uses none of its fixtures, is left alone.
        """
        settings = edge.read(config)
        active = settings.configured or edge.asked_for(config)
        try:
            run = Run(settings, config.rootpath, _teller(config))
            return cls(run, active and not edge.only_tells(config), lambda run: _judging(config, run))
        except HarnessError as error:
            raise pytest.UsageError(f"harness: {error}") from None

    def _judge(self) -> None:
        self.judging = self._judging(self.run)

    def close(self) -> None:
        """End the run."""
        try:
            if self.judging is not None:
                self.judging.close()
        finally:
            self.run.close()

    def header(self) -> list[str]:
        """Return the lines of the report's header: what was chosen, and who chose it."""
        if not self.run.active:
            return []
        settings = self.run.settings
        parts = [f"database {self.run.plan.origin} ({settings.source('database')})"]
        for name, value in settings.sources.items():
            if name != "database" and (value.given or name == "isolation"):
                parts.append(f"{name} {', '.join(value.values)} ({value.source})")
        return [f"harness: {', '.join(parts)}"]

    def collected(self, items: list[pytest.Item]) -> None:
        """Check the markers before any test runs."""
        try:
            known = self.judging.rules.known if self.judging is not None else None
            for item in items:
                request_of(item, known)
        except HarnessError as error:
            raise pytest.UsageError(f"harness: {error}") from None
        if self.run.active:
            for item in items:
                decisions.hear_first(item)

    # -- a test ----------------------------------------------------------------------------------------------------

    def before_setup(self, item: pytest.Item) -> None:
        """Start the test's level. Nothing is imported or sent until a statement runs."""
        self._running = True
        if not self.run.active:
            return
        if self._refusal is not None:
            raise self._refusal
        self.run.begin_tests()
        wanted = request_of(item).isolation or self.run.settings.isolation
        self._isolated = wanted == "rollback"
        if self._isolated and self.run.captured:
            self._enter_test()
        self._remember_overrides()

    def _enter_test(self) -> None:
        from harness.isolation.level import Level

        if self._test is None:
            self._test = Level("the test")
            self.run.enter(self._test)

    def decided(self, fixturedef: pytest.FixtureDef[Any], value: Any) -> None:
        """Take note of a decision that a conftest made by overriding a decision fixture."""
        if not decisions.is_override(fixturedef):
            return
        try:
            self.run.decide(decisions.DECISIONS[fixturedef.argname], value)
        except HarnessError as error:
            self._refusal = error  # pytest sets the fixture up only once, but every test needs to hear it
            raise

    def end_with(self, item: Any) -> None:
        """End the test's level after the finalizers of its own fixtures, and before those of wider scopes."""
        if self._test is not None and not self._scheduled:
            self._scheduled = True
            item.addfinalizer(self._end_test)

    def join(self) -> None:
        """Start the test's level if SQLAlchemy, or harness, came into use only while the test was running."""
        if self._running and self._isolated and self.run.captured:
            self._enter_test()

    @contextmanager
    def fixture_scope(self, scope: str, node: Any) -> Iterator[None]:
        """While a fixture of a wider scope is set up, what it does belongs to that scope."""
        if not self.run.active or not self.run.captured or not self._isolated:
            yield
            return
        pinned = self.run.target.pinned
        lifted = []
        while pinned.level is not pinned.levels[0] and not pinned.level.opened and self._narrower(pinned.level, scope):
            lifted.append(pinned.levels.pop())
        self._enter_scope(scope, node)
        try:
            yield
        finally:
            pinned.levels.extend(reversed(lifted))
            self._remember_overrides()

    def _narrower(self, level: Level, scope: str) -> bool:
        return _SCOPES.index(level.name.split(" ")[0] if level.name in _names() else "function") > _SCOPES.index(scope)

    def _enter_scope(self, scope: str, node: Any) -> None:
        from harness.isolation.level import Level

        if node in self._scopes:
            return
        level = self._scopes[node] = Level(f"{scope} fixtures")
        self.run.enter(level)
        node.addfinalizer(lambda: self._leave_scope(node))

    def _leave_scope(self, node: Any) -> None:
        level = self._scopes.pop(node)
        # The last test of the scope is still open here: it ends with it.
        self._problems += self.run.leave(level)
        if self._test is not None and self._test.ended:
            self._test = None

    @contextmanager
    def calling(self, item: pytest.Function) -> Iterator[None]:
        """While the test's function runs, its task is the test itself."""
        if not self.run.captured:
            yield
            return
        from harness.isolation.flow import running_test

        with running_test(getattr(item.function, "__code__", None)):
            yield

    def before_teardown(self) -> None:
        """From now on rollbacks undo nothing that matters: the test is over."""
        if self._test is not None and self._test.ledger is not None:
            self._test.ledger.closing = True

    def after_teardown(self) -> list[IsolationError]:
        """End the test's level, and return what went wrong with its isolation."""
        self._running = False
        self._restore_overrides()
        self._end_test()
        problems, self._problems = self._problems, []
        return problems

    def _end_test(self) -> None:
        self._scheduled = False
        if self._test is not None:
            level, self._test = self._test, None
            self._problems += self.run.leave(level)

    # -- dependency overrides --------------------------------------------------------------------------------------

    def _remember_overrides(self) -> None:
        if self.run.loaded_app is not None:
            from harness.session.override import remember

            self._overrides = remember(self.run.loaded_app)

    def _restore_overrides(self) -> None:
        for known in self._overrides:
            known.restore()


def _names() -> tuple[str, ...]:
    return tuple(f"{scope} fixtures" for scope in _SCOPES)


def _judging(config: pytest.Config, run: Run) -> Judging:
    from harness.run.judging import Judging  # with all the rules: only for a run that uses harness

    return Judging(config, run)


def _teller(config: pytest.Config) -> Any:
    def say(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        capture = config.pluginmanager.get_plugin("capturemanager")
        if reporter is None:
            return
        if capture is None:
            reporter.write_line(f"harness: {text}")
            return
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"harness: {text}")

    return say
