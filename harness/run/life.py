"""The run as pytest's hooks drive it: which level a statement belongs to at each moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import edge
from harness.config.markers import Request, request_of
from harness.config.options import EMPTY, REAL
from harness.config.settings import without_password
from harness.errors import HarnessError, IsolationError
from harness.run import decisions
from harness.run.definitions import code_of_test
from harness.run.examples import Examples
from harness.run.run import Run
from harness.run.scopes import Scopes

if TYPE_CHECKING:
    from harness.isolation.level import Level
    from harness.run.databases import Databases
    from harness.run.judging import Judging
    from harness.run.workers import Workers
    from harness.session.override import Remembered

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

    def __init__(self, run: Run, active: bool, judging: Callable[[Run, Databases], Judging]) -> None:
        self.run = run
        #: What the workers of pytest-xdist share, in the process that starts them.
        self.workers: Workers | None = None
        #: Judges the tests, from the moment the run is active.
        self.judging: Judging | None = None
        self._judging = judging
        self._test: Level | None = None
        #: The levels of wider fixtures.
        self.scopes = Scopes(run)
        self._owners: set[Any] = set()
        self._overrides: list[Remembered] = []
        self._refusal: HarnessError | None = None
        self._obstacle: BaseException | None = None
        self._isolated = True
        self._apart: str | None = None
        self._wanted = Request()
        self._item: pytest.Item | None = None
        self._running = False
        self._scheduled = False
        #: The examples of the properties among the tests.
        self.examples = Examples(run, lambda: self.judging, lambda: self.scopes.seeds.mark())
        run.when_captured = self.join
        run.when_loaded = self._remember_overrides
        run.when_active = self._judge
        run.when_session_made = self._session_made
        run.when_named_session_made = self._put_back
        if active and run.settings.keep_failed:
            from harness.run.kept import check_directory

            check_directory(run.root / run.settings.keep_dir, run.settings.source("keep_dir"))
        if active:
            try:
                self.databases.check()
                run.activate()
            except BaseException:
                self.close()  # nobody else will: pytest goes no further
                raise

    @cached_property
    def databases(self) -> Databases:
        """The databases that the tests run on."""
        from harness.run.databases import Databases

        return Databases(self.run, self.scopes)

    @classmethod
    def from_pytest(cls, config: pytest.Config) -> TestLife:
        """Make the run that a pytest configuration asks for.

        It is active if any option was given or the plugin was asked for with `-p harness`. A project that merely has
        harness installed, and uses none of its fixtures, is left alone.
        """
        settings = edge.read(config)
        active = settings.configured or edge.asked_for(config)
        try:
            from harness.run.saying import teller

            run = Run(settings, config.rootpath, teller(config))
            if "PYTEST_XDIST_WORKER" in os.environ:
                from harness.run.workers import heard

                run.told = heard(os.environ)
            return cls(run, active and not edge.only_tells(config), partial(_judging, config))
        except HarnessError as error:
            raise pytest.UsageError(f"harness: {error}") from None

    def _judge(self) -> None:
        self.judging = self._judging(self.run, self.databases)
        self.examples.watch()

    def close(self) -> None:
        """End the run."""
        try:
            self.examples.close()
            if self.judging is not None:
                self.judging.close()
        finally:
            try:
                self.databases.close()
            finally:
                try:
                    if self.workers is not None:
                        self.workers.close()
                finally:
                    self.run.close()

    def begin_workers(self, count: int) -> None:
        """Workers of pytest-xdist are about to start."""
        from harness.run.workers import Workers

        self.workers = Workers(self.run)
        try:
            self.workers.begin(count)
        except HarnessError as error:
            raise pytest.UsageError(f"harness: {error}") from None

    def header(self) -> list[str]:
        """Return the lines of the report's header: what was chosen, and who chose it."""
        if not self.run.active:
            return []
        settings = self.run.settings
        origins = ", ".join(self.databases.plan(name).origin for name in self.databases.names)
        parts = [f"database {origins} ({settings.source('database')})"]
        parts += [f"database {served.name} {served.plan.origin}" for served in self.run.served[1:]]
        for name, value in settings.sources.items():
            if name != "database" and (value.given or name == "isolation"):
                parts.append(f"{name} {', '.join(map(without_password, value.values))} ({value.source})")
        return [f"harness: {', '.join(parts)}"]

    def collected(self, items: list[pytest.Item]) -> None:
        """Check the markers before any test runs."""
        try:
            known = self.judging.rules.known if self.judging is not None else None
            apart = []
            for item in items:
                wanted = request_of(item, known)
                if decisions.isolation_of(item, wanted.isolation, self.run.settings.isolation) == "database":
                    apart.append(item)
                if wanted.requires:
                    self.databases.require(item, wanted)
                self.run.any_advancing |= wanted.now == "advancing"
                self.run.any_distinct |= wanted.ids == "distinct"
        except HarnessError as error:
            raise pytest.UsageError(f"harness: {error}") from None
        if self.run.active:
            self.databases.will_be_apart(apart)
            for item in items:
                decisions.hear_first(item)
        if self.judging is not None:
            self.judging.collected(items)

    # -- a test ----------------------------------------------------------------------------------------------------

    def before_setup(self, item: pytest.Item) -> None:
        """Start the test's level. Nothing is imported or sent until a statement runs."""
        self._obstacle = None
        try:
            self._begin(item)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - of harness, or of a wider fixture that ends
            self._obstacle = error

    def check_begun(self) -> None:
        """Raise what stood in the way of `before_setup`, now that the set-up of every other plugin has begun."""
        if self._obstacle is not None:
            raise self._obstacle

    def _begin(self, item: pytest.Item) -> None:
        self._running = True
        self._item = item
        if request_of(item).max_queries is not None or decisions.isolation_of(item, None, "") == EMPTY:
            self.run.activate()  # a budget that nobody counted for would hold whatever is sent
        if not self.run.active:
            return
        self.databases.turn(item)
        self._own_sessions()
        if self._refusal is not None:
            raise self._refusal
        self.run.begin_tests()
        self._wanted = request_of(item)
        how = decisions.isolation_of(item, self._wanted.isolation, self.run.settings.isolation)
        self._isolated = how == "rollback"
        self._apart = how if how in REAL else None
        if self.run.captured:
            if not self._isolated and self._apart is None:
                self.scopes.set_aside()
            self._enter_test()
        self._remember_overrides()

    def _enter_test(self) -> None:
        from harness.isolation.level import Level

        self.run.choose(ids=self._wanted.ids, now=self._wanted.now)
        if self._apart is not None:
            for served in self.run.served:
                # Tests of migrations are about one database; the others are as in any other test.
                further = self._apart == EMPTY and served is not self.run.default
                served.apart.enter("database" if further else self._apart)
        elif self._isolated and (self._test is None or self._test.ended):
            self._test = Level("the test")
            self.run.enter(self._test)

    def _own_sessions(self) -> None:
        """Let what factories make belong to the test."""
        item = self._item
        if item is not None and not self.run.desk.open:
            self.run.desk.begin(item, prefers_async=decisions.prefers_async(item))

    def decided(self, fixturedef: pytest.FixtureDef[Any], value: Any) -> None:
        """Take note of a decision that a conftest made by overriding a decision fixture."""
        if not decisions.is_override(fixturedef):
            return
        try:
            self.databases.check_decision(decisions.DECISIONS[fixturedef.argname])
            self.run.decide(decisions.DECISIONS[fixturedef.argname], value)
        except HarnessError as error:
            self._refusal = error  # pytest sets the fixture up only once, but every test needs to hear it
            raise

    def end_with(self, item: Any) -> None:
        """End the test's level after the finalizers of its own fixtures, and before those of wider scopes."""
        if (self._test is not None or self._apart is not None) and not self._scheduled:
            self._scheduled = True
            item.addfinalizer(self._end_test)

    def made(self, name: str, value: Any) -> None:
        """Let factories use the session of a fixture that is called like one of harness's own."""
        if name in ("db_session", "async_db_session") and self.run.active:
            self.run.desk.adopt(value)

    def join(self) -> None:
        """Start the levels that are due if SQLAlchemy, or harness, came into use only while the test was running."""
        if self._running:
            self._own_sessions()
        if self._running and self.run.captured and not (self._levelled and self.scopes.begin_late()):
            self._enter_test()
            self.examples.join()

    @property
    def _levelled(self) -> bool:
        """Tell whether wider fixtures that the running test sets up are isolated."""
        return self._isolated or self._apart is not None

    @contextmanager
    def fixture_scope(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
        """While a fixture of a wider scope is set up, what it does belongs to that fixture."""
        isolated = self.run.active and self._levelled
        if isolated and self.run.captured:
            self.run.choose()  # what a wider fixture makes is not for one test alone
        try:
            with (
                self.run.shared(),
                self.scopes.setting_up(fixturedef, request, isolated=isolated),
                self._making(request.node),
            ):
                yield
        finally:
            if self.run.active:
                self.join()
                self._remember_overrides()

    @contextmanager
    def _making(self, node: Any) -> Iterator[None]:
        """While a fixture of a wider scope is set up, factories use the session of that scope."""
        if not self.run.active or not self._running:
            yield
            return
        if node not in self._owners:
            self._owners.add(node)
            node.addfinalizer(lambda: self._end_sessions(node))
        with self.run.desk.within(node, lambda asynchronous: self.scopes.current_session(asynchronous=asynchronous)):
            yield

    def _end_sessions(self, node: Any) -> None:
        self._owners.discard(node)
        self.run.desk.end(node)

    def _session_made(self, session: Any) -> None:
        """Let the test's own session hold what was made once for many tests, and be put back after each example."""
        self.scopes.seeds.lend(session)
        self._put_back(session)

    def _put_back(self, session: Any) -> None:
        """Let a session of the test be put back after each example."""
        from harness.session.rewind import mark, mark_async

        self.examples.keep(partial(mark_async if hasattr(session, "sync_session") else mark, session))

    @contextmanager
    def calling(self, item: pytest.Function) -> Iterator[None]:
        """While the test's function runs, its task is the test itself."""
        if not self.run.captured:
            yield
            return
        if self._wanted.requires:
            self.databases.require_now(item, self._wanted)
        self.run.desk.finish()
        from harness.isolation.flow import running_test

        self.scopes.lend_to_used(item)
        with running_test(code_of_test(item.function)):
            yield

    @contextmanager
    def properties(self, item: pytest.Item) -> Iterator[None]:
        """While the test is called, its examples, if it is a property, are isolated from each other."""
        if not self.run.active:
            yield
            return
        with ExitStack() as stack:
            with told_plainly():
                stack.enter_context(self.examples.of(item, isolated=self._isolated))
            yield

    def failed(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """A test has failed, and its database is as it left it."""
        if self.run.settings.keep_failed and self.run.active and report.when in ("setup", "call"):
            from harness.run.kept import keep

            if told := keep(self.run, item.nodeid):
                report.sections.append(("harness", told))

    def before_teardown(self) -> None:
        """From now on rollbacks undo nothing that matters: the test is over."""
        if self._test is not None:
            from harness.isolation.stack import is_closing

            is_closing(self._test)

    def after_teardown(self) -> list[IsolationError]:
        """End the test's level, and return what went wrong with its isolation."""
        self._running = False
        self.examples.forget()
        self._restore_overrides()
        self._end_test()
        self.scopes.bring_back()
        problems, self.scopes.problems = self.scopes.problems, []
        return problems

    def _end_test(self) -> None:
        self._scheduled = False
        if self.run.active and self._item is not None:
            self.run.desk.end(self._item)
        if self._apart is not None:
            self._apart = None
            for served in self.run.served:
                self.scopes.problems += served.apart.leave()
        if self._test is not None:
            level, self._test = self._test, None
            self.scopes.problems += self.scopes.leave(level)

    # -- dependency overrides --------------------------------------------------------------------------------------

    def _remember_overrides(self) -> None:
        if self.run.loaded_app is not None:
            from harness.session.override import remember

            self._overrides = remember(self.run.loaded_app)

    def _restore_overrides(self) -> None:
        for known in self._overrides:
            known.restore()


def _judging(config: pytest.Config, run: Run, databases: Databases) -> Judging:
    from harness.run.judging import Judging  # with all the rules: only for a run that uses harness

    return Judging(config, run, databases)
