"""Each example of a property in a level of its own, while a test's function runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, IsolationError
from harness.run.arrival import on_arrival
from harness.run.definitions import function_scoped, is_property

if TYPE_CHECKING:
    from harness.isolation.level import Level
    from harness.run.judging import Judging
    from harness.run.run import Run

#: Takes note of the state of something that a fixture has made; what it returns makes it that again.
Mark = Callable[[], Callable[[], None]]


class Examples:
    """What hypothesis is doing, as isolation sees it.

    Args:
        run: the run whose levels are used.
        judging: who judges the tests, if anybody does.
        seeds: takes note of the objects that wider fixtures have made.
    """

    def __init__(self, run: Run, judging: Callable[[], Judging | None], seeds: Mark) -> None:
        self._run = run
        self._seeds = seeds
        self._judging = judging
        self._stack = ExitStack()
        self._seen = self._calling = self._isolated = self._under_way = False
        self._marks: list[Mark] = []
        self._put_back: list[Callable[[], None]] = []
        self._level: Level | None = None

    def watch(self) -> None:
        """Look at each example from now on, or from the moment hypothesis is imported."""
        self._stack.enter_context(on_arrival("hypothesis.control", self._arrived))

    def close(self) -> None:
        """Leave hypothesis as it was."""
        self._stack.close()

    def _arrived(self) -> None:
        from harness.examples.boundary import around_each

        try:
            self._stack.enter_context(around_each(self._begin, self._end))
            self._seen = True
        except (ImportError, AttributeError) as error:
            self._run.notes.append(
                f"examples of hypothesis are not isolated from each other: this version hides them ({error})"
            )

    # -- a test ----------------------------------------------------------------------------------------------------

    def keep(self, mark: Mark) -> None:
        """Have something that a fixture made put back after each example, until the test ends."""
        self._marks.append(mark)
        if self._under_way:
            self._put_back.append(mark())

    def forget(self) -> None:
        """The fixtures of a test are gone."""
        self._marks.clear()

    @contextmanager
    def of(self, item: pytest.Item, *, isolated: bool) -> Iterator[None]:
        """While a test's function runs, its examples are kept apart.

        Args:
            item: the test.
            isolated: whether what it does is undone.

        Raises:
            HarnessError: it uses function-scoped fixtures of the user's own beside harness's.
        """
        self._calling, self._isolated = True, isolated
        test = getattr(item, "obj", None)
        try:
            with ExitStack() as stack:
                if self._seen and isolated:
                    from harness.examples.storing import storing

                    stack.enter_context(storing(partial(self._store, item)))
                if self._seen and is_property(item):
                    from harness.examples.easing import eased

                    reset = isolated and _all_are_reset(item, test)
                    stack.enter_context(eased(test, fixtures_are_reset=reset))
                yield
        finally:
            self._calling = False

    def _store(self, item: pytest.Item, instance: Any) -> None:
        """Commit an instance that a strategy has drawn, in the test's own session if it has one."""
        session = getattr(item, "funcargs", {}).get("db_session")
        if session is not None:
            session.add(instance)
            session.commit()
            return
        self._run.ready()
        with self._run.sessions.session() as session:
            session.expire_on_commit = False
            session.add(instance)
            session.commit()

    def join(self) -> None:
        """Give the example that is under way its level, if SQLAlchemy came into use only in it."""
        if self._under_way and self._isolated and self._level is None:
            from harness.isolation.level import Level

            self._level = Level("the example")
            self._run.enter(self._level)

    # -- an example ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._calling:
            return
        self._under_way = True
        if self._isolated and self._run.captured:
            self._put_back = [mark() for mark in (self._seeds, *self._marks)]
            if self._run.loaded_app is not None:
                from harness.session.override import remember

                self._put_back += [known.restore for known in remember(self._run.loaded_app)]
            self.join()
        if (judging := self._judging()) is not None:
            judging.budgets.begin_example()

    def _end(self, error: BaseException | None) -> None:
        __tracebackhide__ = True
        if not self._under_way:
            return
        self._under_way = False
        over = None
        if (judging := self._judging()) is not None:
            over = judging.budgets.end_example()
            judging.fold()
        level, self._level = self._level, None
        problems = self._leave(level) if level is not None else []
        for problem in problems:
            if error is None:
                raise problem
            error.add_note(f"harness: {problem}")
        if over is not None and error is None:
            raise AssertionError(over)

    def _leave(self, level: Level) -> list[IsolationError]:
        from harness.isolation.stack import is_closing

        is_closing(level)
        try:
            with self._run.while_preparing():
                for put_back in reversed(self._put_back):
                    put_back()
        finally:
            self._put_back = []
            problems = self._run.leave(level)
        return problems


def _all_are_reset(item: pytest.Item, test: Any) -> bool:
    """Tell whether a property's function-scoped fixtures are all harness's own.

    Raises:
        HarnessError: some are. hypothesis would name the first of all.
    """
    from harness.examples.easing import accepts_shared_fixtures

    homes = function_scoped(item)
    foreign = [name for name, home in homes.items() if not home.startswith("harness.")]
    if not foreign or len(foreign) == len(homes) or accepts_shared_fixtures(test):
        return not foreign
    name = foreign[0]
    raise HarnessError(
        f"{item.nodeid!r} uses a function-scoped fixture {name!r}, which is not reset between the examples of @given",
        why="pytest sets it up once for all of them. Harness puts its own fixtures and the database back, and cannot "
        f"know what {name!r} holds",
        remedy="do in the test what the fixture does, or give it a wider scope,\n"
        "or say that all examples may share it:\n"
        "@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])",
    )
