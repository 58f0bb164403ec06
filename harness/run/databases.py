"""One suite on several databases: which tests run on which, and the turn from one to another between two tests.

Each test that has to do with the database gets a parameter of session scope, so that pytest runs all of them on the
first database, then all on the second. Nothing depends on that order: whenever the next test is on another database,
the fixtures of wider scope that have used the present one are torn down, and all engines are aimed at the other.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness.errors import ConfigError, IsolationError
from harness.run.decisions import decides
from harness.run.definitions import homes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.config.markers import Request
    from harness.database.provider import Plan
    from harness.run.run import Run
    from harness.run.scopes import Scopes
    from harness.run.served import Served

#: The fixture whose parameter is a database's name.
PARAMETER = "_harness_database"
#: Arguments of the marker that only a test with a database has a use for.
_ABOUT_DATABASE = frozenset({"isolation", "ids", "now", "max_queries", "requires"})


class Databases:
    """The databases of a run; one, unless several were asked for.

    Args:
        run: the run, which is always on one of them.
        scopes: its fixtures of wider scope.
    """

    def __init__(self, run: Run, scopes: Scopes) -> None:
        self._run = run
        self._scopes = scopes
        self._texts = run.settings.databases
        self.names = names_of(self._texts)
        self.current = self.names[0]
        self._resting: dict[str, Served] = {}
        self._used: dict[str, None] = {}
        self._apart: dict[str, int] = {}

    @property
    def several(self) -> bool:
        """Tell whether there is more than one."""
        return len(self.names) > 1

    @cached_property
    def _plans(self) -> dict[str, Plan]:
        return {name: plan_of(self._run, text) for name, text in zip(self.names, self._texts, strict=True)}

    def plan(self, name: str) -> Plan:
        """Return where a database comes from."""
        return self._run.plan if name == self.current else self._plans[name]

    def check(self) -> None:
        """Tell now what is wrong with the choice of several databases.

        Raises:
            ConfigError: two of them are one.
            UnsafeDatabase, DatabaseUnavailable, MissingExtra: one of them cannot be used.
        """
        if not self.several:
            return
        from harness.database.drivers.choice import drivers_for

        if self._run.several:
            raise ConfigError(
                "harness_databases declares further databases, and harness_database names several",
                where=f"{self._run.settings.source('databases')} and {self._run.settings.source('database')}",
                why="a suite runs on several databases only if its application has one",
                remedy="name one database with harness_database",
            )
        seen: dict[str, str] = {}
        for name, plan in self._plans.items():
            if plan.origin in seen:
                raise ConfigError(
                    f"harness_database names one database twice: {plan.origin}",
                    where=self._run.settings.source("database"),
                    why="each test would run twice on it",
                    remedy="leave out one of the two",
                )
            seen[plan.origin] = name
            drivers_for(plan.backend, ())
        self._run.default.plan = self._plans[self.current]

    # -- the tests -------------------------------------------------------------------------------------------------

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Let a test that has to do with the database run on each of them."""
        if not self.several or not _uses_database(metafunc):
            return
        metafunc.fixturenames.insert(0, PARAMETER)
        metafunc.parametrize(PARAMETER, self.names, indirect=True, ids=self.names, scope="session")

    def of(self, item: pytest.Item) -> str:
        """Return the name of the database that a test runs on: the first one, if it was given none."""
        return database_of(item) or self.names[0]

    def backends(self) -> list[str]:
        """Return SQLAlchemy's names of all databases."""
        return list(dict.fromkeys(self.plan(name).backend for name in self.names))

    def described(self) -> list[str]:
        """Return which of several databases the tests of this process ran on, for the reports."""
        plans = [self.plan(name) for name in self.names if name in self._used]
        return [f"{plan.backend} ({plan.origin})" for plan in plans]

    def will_be_apart(self, items: Iterable[pytest.Item]) -> None:
        """Say which tests will ask for a database of their own."""
        items = list(items)
        for item in items:
            self._apart[self.of(item)] = self._apart.get(self.of(item), 0) + 1
        self._run.apart.left = self._apart.pop(self.current, 0)
        for served in self._run.served[1:]:
            served.apart.left = len(items)

    # -- capabilities ----------------------------------------------------------------------------------------------

    def require(self, item: pytest.Item, wanted: Request) -> None:
        """Let a test be skipped whose database cannot do what it requires; raises what `lacking` does."""
        lacking = self.lacking(item, wanted, decided=False)
        if lacking and not decides(item, "harness_database_url"):
            item.add_marker(pytest.mark.skip(reason=_lacks(self.of(item), lacking)))

    def require_now(self, item: pytest.Item, wanted: Request) -> None:
        """Skip the running test if only now is known that its database cannot do what it requires."""
        if lacking := self.lacking(item, wanted, decided=True):
            raise pytest.skip.Exception(_lacks(self.of(item), lacking))

    def lacking(self, item: pytest.Item, wanted: Request, *, decided: bool) -> tuple[str, ...]:
        """Return the capabilities that a test requires and its database does not have.

        Args:
            item: the test.
            wanted: what its markers say.
            decided: whether the test's own turn has come, so that a conftest has decided on its database, and a server
                may be asked what it is.

        Raises:
            ConfigError: one of them is no capability.
        """
        if not wanted.requires:
            return ()
        from harness.database.capabilities import check_names, lacking

        check_names(wanted.requires, item.nodeid)
        text = str(self._run.decisions.get("database", self._texts[self.names.index(self.of(item))]))
        kind = _kind(text)
        if kind == "mysql" and "://" in text:  # a server of either maker
            by_maker = [lacking(wanted.requires, maker) for maker in ("mariadb", "mysql")]
            if by_maker[0] == by_maker[1]:
                return by_maker[0]
            if not decided:
                return tuple(name for name in by_maker[1] if name in by_maker[0])
            self._run.connect()
            kind = "mariadb" if self._run.target.dialect_state().get("is_mariadb") else "mysql"
        return lacking(wanted.requires, kind)

    # -- turns -----------------------------------------------------------------------------------------------------

    def turn(self, item: pytest.Item) -> None:
        """Go to the database of the next test."""
        name = self.of(item)
        self._used[name] = None
        if name != self.current:
            self._scopes.change(partial(self._use, name))

    def check_decision(self, decision: str) -> None:
        """Refuse a conftest's own database beside several others.

        Raises:
            ConfigError: there are several.
        """
        if decision == "database" and self.several:
            raise ConfigError(
                "fixture harness_database_url is overridden, and harness_database names several databases",
                where=self._run.settings.source("database"),
                why="the fixture would decide for all tests",
                remedy="give its URL to harness_database as one of them, or name one database only",
            )

    def _use(self, name: str) -> None:
        before = self._run.default
        after = self._resting.pop(name, None) or self._new(name)
        self._resting[self.current] = before
        self._run.default, after.registry = after, before.registry
        after.apart.left = self._apart.pop(name, after.apart.left)
        if after.registry is not None:
            after.registry.retarget(after.target)
            after.target.pinned.observer, before.target.pinned.observer = before.target.pinned.observer, None
            before.target.pinned.on_first_use = partial(_asleep, self.current, name)
            after.target.pinned.on_first_use = None
        self.current = name

    def _new(self, name: str) -> Served:
        from harness.run.served import Served

        served = Served(self._run)
        served.plan = self._plans[name]
        return served

    def close(self) -> None:
        """Give the databases back that the run is not on now; it does the rest itself."""
        if not self._resting:
            return
        with ExitStack() as last_first:
            last_first.callback(self._use, self.current)
            for name in list(self._resting):
                last_first.callback(self._give_back, name)

    def _give_back(self, name: str) -> None:
        self._use(name)
        served = self._run.default
        with ExitStack() as last_first:
            last_first.callback(served.close)
            last_first.callback(served.leave_as_found)
            last_first.callback(served.apart.close)


def _lacks(database: str, capabilities: Iterable[str]) -> str:
    return f"{database} has no {', '.join(capabilities)}, which @pytest.mark.harness(requires=…) names"


def _asleep(opened_on: str, used_on: str) -> None:
    raise IsolationError(
        f"a connection that was opened on {opened_on} is used in a test on {used_on}",
        why="the tests run on several databases, and a connection stays with the one that it was opened on",
        remedy="let the application open a connection, or a session, for each piece of work, and close it afterwards",
    )


def database_of(item: pytest.Item) -> str | None:
    """Return the name of the database that a test was given as a parameter; None if it was given none."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(PARAMETER) if callspec is not None else None


def without_database(item: pytest.Item, nodeid: str) -> str:
    """Return a node id as it would be if there were one database: `test_x[sqlite-1]` is `test_x[1]`."""
    name = database_of(item)
    if name is None:
        return nodeid
    parameters = str(item.callspec.id)  # type: ignore[attr-defined]  # it has a parameter
    rest = re.sub(rf"(^|-){re.escape(name)}(-|$)", lambda at: "-" if all(at.groups()) else "", parameters, count=1)
    return nodeid.removesuffix(f"[{parameters}]") + (f"[{rest}]" if rest else "")


def plan_of(run: Run, database: str) -> Plan:
    """Return where a database comes from, without starting anything; raises what `choose` does."""
    from harness.config.images import image_for
    from harness.run import workers

    return workers.plan_of(run, database, image_for(database, run.settings.image))


def names_of(databases: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each database, as it stands in the ids of tests: `sqlite`, or `postgres_orders_test`."""
    kinds = [_kind(text) for text in databases]
    names: dict[str, None] = {}
    for kind, text in zip(kinds, databases, strict=True):
        name = kind if kinds.count(kind) == 1 or "://" not in text else f"{kind}_{_stem(text)}"
        number = 1
        while name in names:
            number += 1
            name = f"{name.removesuffix(f'_{number - 1}')}_{number}"
        names[name] = None
    return tuple(names)


def _kind(database: str) -> str:
    """Return `sqlite`, `postgres`, `mariadb` or `mysql`; what is no database is told when it is planned."""
    word = re.split(r"\+|://", database.strip().lower(), maxsplit=1)[0]
    return "postgres" if word == "postgresql" else word


def _stem(url: str) -> str:
    name = urlsplit(url).path.rpartition("/")[2].rpartition(".")
    return re.sub(r"\W+", "_", name[0] or name[2]) or "memory"


def _uses_database(metafunc: pytest.Metafunc) -> bool:
    """Tell whether a test asks for a fixture of harness's, directly or not, or its marker is about the database."""
    definition = metafunc.definition
    if any(_ABOUT_DATABASE & set(marker.kwargs) for marker in definition.iter_markers("harness")):
        return True
    return any(
        home.startswith("harness.fixtures.") for name in metafunc.fixturenames for home in homes_of(definition, name)
    )
