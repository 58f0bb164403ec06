"""Wider fixtures as levels: one for each fixture that makes rows, in the order in which they were set up.

Fixtures come and go in an order that is pytest's, not ours: a session fixture may first be asked for by the last test
of a module, a module fixture in the middle of a test, and a parameter's fixture ends before its module does. Savepoints
only end from the top. So one rule: **a level that ends takes the levels above it along, and the fixtures they belong
to are torn down with it**; pytest sets them up anew when they are next asked for. The order decides how often a
fixture runs, never what a test sees.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import IsolationError

if TYPE_CHECKING:
    import pytest

    from harness.isolation.ledger import Lease
    from harness.isolation.level import Level
    from harness.isolation.stack import Stack
    from harness.run.run import Run
    from harness.session.seeds import Seeds

#: Fixture → whether the session that it gives is an asynchronous one.
SESSIONS = {
    f"{scope}_{kind}db_session": bool(kind)
    for scope in ("session", "package", "module", "class")
    for kind in ("", "async_")
}


class SettingUp:
    """A wider fixture that is being set up."""

    def __init__(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
        self.fixturedef = fixturedef
        self.request = request
        self.stack = ExitStack()
        #: None while nothing is isolated, as before SQLAlchemy is imported; more than one if another fixture made rows
        #: in the middle of the set-up.
        self.levels: list[Level] = []
        self.lifted: list[Level] = []
        self.writes = 0
        self.noticed: dict[Any, None] = {}

    @property
    def name(self) -> str:
        """How messages call the fixture."""
        return f"{self.fixturedef.scope} fixture {self.fixturedef.argname!r}"


class Scopes:
    """The levels of wider fixtures, and what is left to say about those that have ended.

    Args:
        run: the run whose levels they are.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._under_way: list[SettingUp] = []
        self._made: dict[pytest.FixtureDef[Any], SettingUp] = {}
        self._nodes: dict[Any, Level] = {}
        self._aside = False
        #: The wider fixtures that have used the database, or were given something of it.
        self._users: dict[pytest.FixtureDef[Any], Any] = {}
        self._depths: dict[Level, int] = {}
        self._seeds: Seeds | None = None
        self.problems: list[IsolationError] = []

    @property
    def seeds(self) -> Seeds:
        """The sessions of wider scopes, and the objects made there."""
        if self._seeds is None:
            from harness.session.seeds import Seeds

            self._seeds = Seeds(lambda: self._run.sessions)
        return self._seeds

    @property
    def under_way(self) -> SettingUp | None:
        """The wider fixture that is being set up, the innermost one."""
        return self._under_way[-1] if self._under_way else None

    @property
    def _stack(self) -> Stack:
        return self._run.stack

    # -- a fixture's set-up ----------------------------------------------------------------------------------------

    @contextmanager
    def setting_up(self, fixturedef: pytest.FixtureDef[Any], request: Any, *, isolated: bool) -> Iterator[None]:
        """While a wider fixture is set up, what it does belongs to a level of its own.

        Raises:
            IsolationError: the fixture left a transaction open, or something ended the one around it.
        """
        setup = SettingUp(fixturedef, request)
        if self._under_way and self._seeds is not None:
            self._seeds.settle(detach=False)  # what the outer fixture has made so far belongs to its own level
        self._under_way.append(setup)
        try:
            if isolated and self._run.captured:
                self._begin(setup)
            with setup.stack:
                yield
                self._settle(setup)
            self._complete(setup)
        except BaseException:
            self._end(setup)
            raise
        finally:
            if self._uses(setup, isolated=isolated):
                self._users[fixturedef] = request
            self._under_way.remove(setup)
            if setup.lifted:
                self._stack.put_back(level for level in reversed(setup.lifted) if not level.ended)
            self._go_on()

    def _uses(self, setup: SettingUp, *, isolated: bool) -> bool:
        """Tell whether what a fixture has made belongs to the database that the run is on."""
        if setup.fixturedef.func.__module__.startswith("harness.fixtures."):
            return True
        return any(level.opened for level in setup.levels) or (not isolated and self._run.captured)

    def begin_late(self) -> bool:
        """Start the levels of fixtures whose set-up was under way when SQLAlchemy was imported; tell if there are."""
        for setup in self._under_way:
            if not setup.levels:
                self._begin(setup)
        return bool(self._under_way)

    def _go_on(self) -> None:
        """What an outer fixture does after an inner one has made rows lies above them, in one more level of its own."""
        outer = self.under_way
        if outer is not None and outer.levels and self._stack.top not in outer.levels:
            self._add_level(outer)

    def _add_level(self, setup: SettingUp) -> None:
        from harness.isolation.level import Level

        level = Level(f"the {setup.name}")
        setup.levels.append(level)
        self._depths[level] = len(setup.request.node.listchain())
        self._run.enter(level)

    def _begin(self, setup: SettingUp) -> None:
        from harness.isolation.level import Level
        from harness.isolation.stack import opened

        node, stack = setup.request.node, self._stack
        depth = len(node.listchain())
        while len(stack.levels) > 1 and not opened(stack.top) and self._comes_after(stack.top, depth):
            setup.lifted.append(stack.lift())
        if node not in self._nodes:
            self._enter(Level(f"{setup.fixturedef.scope} fixtures"), node, depth)
        setup.writes = stack.writes
        setup.noticed = setup.stack.enter_context(self.seeds.noticing())
        self._add_level(setup)
        self._lend(node, setup.fixturedef.argnames)

    def _comes_after(self, level: Level, depth: int) -> bool:
        """Tell whether a level in which nothing has happened yet belongs above a fixture of a node at this depth."""
        waiting = any(level in outer.levels for outer in self._under_way)
        return waiting or self._depths.get(level, depth + 1) > depth

    def _enter(self, level: Level, node: Any, depth: int) -> None:
        """Start the level of a node: what its fixtures do outside of their set-up, as when they are torn down."""
        self._nodes[node] = level
        self._depths[level] = depth
        self._run.enter(level)
        node.addfinalizer(lambda: self._leave_node(node))

    def _settle(self, setup: SettingUp) -> None:
        """Commit what the set-up has made in the sessions of wider scopes."""
        if self._seeds is None:
            return
        try:
            self._seeds.settle(detach=len(self._under_way) == 1)
        except Exception as error:
            # pytest would hand the value to later tests, as the set-up itself went well.
            setup.fixturedef.finish(setup.request)
            for problem in self._stack.check(setup.levels[-1]) if setup.levels else ():
                raise problem from error
            raise

    def _complete(self, setup: SettingUp) -> None:
        """The set-up went well: keep its levels if it has made rows."""
        if not setup.levels:
            return
        from harness.isolation.stack import opened

        open_ = [lease for level in setup.levels for lease in _open_writers(level)]
        problems = [_left_open(setup, lease) for lease in open_] or self._stack.check(setup.levels[-1])
        if problems:
            setup.fixturedef.finish(setup.request)  # as above
            raise problems[0]
        if any(opened(level) for level in setup.levels) and self._stack.writes != setup.writes:
            self._made[setup.fixturedef] = setup
            self.seeds.keep(setup.levels[0], setup.noticed)
        else:
            for level in reversed(setup.levels):
                self.problems += self._take_out(level)
            self.seeds.keep(self._nodes[setup.request.node], setup.noticed)

    # -- ends ------------------------------------------------------------------------------------------------------

    def finished(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """A fixture has been torn down: its level ends."""
        self._users.pop(fixturedef, None)
        made = self._made.pop(fixturedef, None)
        if made is not None:
            self._end(made)

    def _end(self, setup: SettingUp) -> None:
        for level in reversed(setup.levels):
            self.problems += self.leave(level)

    def _leave_node(self, node: Any) -> None:
        self.problems += self.leave(self._nodes.pop(node))

    def leave(self, level: Level) -> list[IsolationError]:
        """End a level, and tear down the fixtures whose levels are above it.

        Returns:
            What went wrong: rollbacks that were refused, a transaction that somebody else ended.
        """
        levels = self._stack.levels
        if level not in levels:
            return []
        problems: list[IsolationError] = []
        above = levels[levels.index(level) + 1 :]
        with ExitStack() as last_one_first:
            if self._seeds is not None and not self._under_way:
                last_one_first.callback(self._seeds.forget)
            last_one_first.callback(lambda: problems.extend(self._take_out(level)))
            for made in self._made.values():
                if any(own in above for own in made.levels):
                    last_one_first.callback(made.fixturedef.finish, made.request)
        return problems

    def _take_out(self, level: Level) -> list[IsolationError]:
        """Leave a level; levels above that nothing has happened in, such as the next test's, stay."""
        from harness.isolation.stack import opened

        stack, lifted = self._stack, []
        while level in stack.levels and stack.top is not level and not opened(stack.top):
            lifted.append(stack.lift())
        problems = self._run.leave(level)
        stack.put_back(reversed(lifted))
        self._depths.pop(level, None)
        if self._seeds is not None:
            self._seeds.drop(level)
        return problems

    # -- a test that commits for real --------------------------------------------------------------------------------

    def set_aside(self) -> None:
        """Before a test that is not isolated: tear down the fixtures that have made rows, so that it really commits."""
        from harness.isolation.level import Level

        with ExitStack() as last_one_first:
            for made in self._made.values():
                last_one_first.callback(made.fixturedef.finish, made.request)
        for node, old in self._nodes.items():
            self._nodes[node] = new = Level(old.name)
            self._depths[new] = self._depths.pop(old)
        for level in reversed(self._stack.levels[1:]):
            self.problems += self._run.leave(level)
        self._aside = True

    def bring_back(self) -> None:
        """After such a test: the levels of nodes that are still there go on."""
        if self._aside:
            self._aside = False
            for level in self._nodes.values():
                self._run.enter(level)

    # -- another database ----------------------------------------------------------------------------------------------

    def change(self, turn: Callable[[], None]) -> None:
        """Between two tests, go to another database: tear down the fixtures that have used this one.

        Args:
            turn: goes there.
        """
        if not self._run.captured:
            turn()
            return
        with ExitStack() as last_one_first:
            last_one_first.callback(self.bring_back)
            last_one_first.callback(turn)
            last_one_first.callback(self._forget_all)
            last_one_first.callback(self.set_aside)
            for fixturedef, request in self._users.items():
                last_one_first.callback(fixturedef.finish, request)

    def _forget_all(self) -> None:
        if self._seeds is not None:
            self._seeds.close_all()
            for level in list(self._depths):
                self._seeds.drop(level)

    # -- sessions --------------------------------------------------------------------------------------------------

    def session(self, name: str, node: Any) -> Any:
        """Return the session of a scope, made when it is first asked for and closed when the node is torn down.

        Args:
            name: the fixture through which users get it.
            node: what the scope belongs to.
        """
        session, made = self.seeds.session(node, name, asynchronous=SESSIONS[name])
        if made:
            node.addfinalizer(lambda: self.seeds.close(node, name))
        return session

    def current_session(self, *, asynchronous: bool) -> Any:
        """Return the session of the wider fixture that is being set up; None if there is none, as in a test."""
        setup = self.under_way
        if setup is None:
            return None
        name = f"{setup.fixturedef.scope}_{'async_' if asynchronous else ''}db_session"
        return self.session(name, setup.request.node)

    def lend_to_used(self, item: pytest.Function) -> None:
        """Let a test that works with the session of a wider scope find all seeds in it."""
        if self._made:
            self._lend(item, inspect.signature(item.function).parameters)

    def _lend(self, node: Any, names: Iterable[str]) -> None:
        """Let the sessions that a fixture or test asks for, and that are open already, hold all seeds."""
        for name in SESSIONS.keys() & set(names):
            scope_nodes = reversed(node.listchain())
            found = (self.seeds.opened(scope_node, name) for scope_node in scope_nodes)
            session = next((session for session in found if session is not None), None)
            if session is not None:
                self.seeds.lend(session)


def _open_writers(level: Level) -> list[Lease]:
    from harness.isolation.stack import open_writers

    if not any(open_writers(level)):
        return []
    gc.collect()  # a connection in a reference cycle gives itself back only now
    return list(open_writers(level))


def _left_open(setup: SettingUp, lease: Lease) -> IsolationError:
    scope = setup.fixturedef.scope
    return IsolationError(
        f"the {setup.name} left a transaction open, with writes that were never committed",
        where=str(lease.party),
        why="what many tests share has to be committed, as nothing else is seen by the app's own connections",
        remedy=(
            "commit before the fixture returns or yields,\n"
            f"or make the rows in fixture {scope}_db_session ({scope}_async_db_session), which is committed for you"
        ),
    )
