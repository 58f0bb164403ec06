"""Counts what tests send where somebody asked for it: a block of `assert_queries`, a marker, the query ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.config.markers import Request as Wanted
from harness.errors import BudgetError
from harness.observe.queries import Counter, Counting
from harness.queries.budget import Budget
from harness.queries.counts import counts_of, growth
from harness.queries.ledger import KIND, QueryLedger
from harness.queries.statements import Queries
from harness.run.databases import without_database

if TYPE_CHECKING:
    import pytest

    from harness.run.watch import Watch


class Budgets:
    """The budgets of this process's tests.

    Args:
        watch: listens.
        ledger: what is recorded, if there is a ledger.
        database: tells on which server the running test runs.
        databases: tells on which servers the tests run.
    """

    def __init__(
        self, watch: Watch, ledger: QueryLedger | None, database: Callable[[], str], databases: Callable[[], list[str]]
    ) -> None:
        self._watch = watch
        self._ledger = ledger
        self._database = database
        self._databases = databases
        self._counter: Counter | None = None
        self._example: Counter | None = None
        self._of_example: int | None = None
        self._is_property = False
        #: The node ids of all tests there are; empty where not all of them were looked at.
        self.collected: frozenset[str] = frozenset()

    @property
    def counting(self) -> Counting:
        """What counts; it listens from now on."""
        return self._watch.counting()

    def begin(self, wanted: Wanted, *, is_property: bool) -> None:
        """A test's function is about to be called.

        Args:
            wanted: what its markers say.
            is_property: whether hypothesis runs it. How often, and with which values, is chance: the budget is each
                example's, and the ledger, whose counts must be the same in each run, has none of it.
        """
        self._of_example = wanted.max_queries if is_property else None
        self._is_property = is_property
        if (self._ledger is not None and not is_property) or wanted.max_queries is not None:
            self._counter = self.counting.open()

    def end(self, test: str, wanted: Wanted, *, passed: bool) -> tuple[list[str], dict[str, Any] | None]:
        """A test's function is done: return what fails it, and what is to be told to whoever keeps the ledger.

        Args:
            test: its node id.
            wanted: what its markers say.
            passed: whether it has passed; if not, it may have sent less than it would.
        """
        counter, self._counter = self._counter, None
        if counter is None:
            return [], None
        self.counting.close(counter)
        if not passed:
            return [], None
        if self.counting.broken:
            return ([str(broken())] if wanted.max_queries is not None else []), None
        queries = Queries(counter.queries, counter.requests)
        over = self._over(wanted.max_queries, queries)
        if self._is_property:
            return [over] if over is not None else [], None
        grown = self._grown(test, queries)
        return [problem for problem in (over, grown) if problem is not None], self._told(test, queries)

    def begin_example(self) -> None:
        """An example of a property is about to run."""
        if self._of_example is None:
            return
        if self._counter is not None:  # of the whole test: for a hypothesis that would hide its examples
            self.counting.close(self._counter)
            self._counter = None
        self._example = self.counting.open()

    def end_example(self) -> str | None:
        """An example is done: return what fails it."""
        counter, self._example = self._example, None
        if counter is None:
            return None
        self.counting.close(counter)
        if self.counting.broken:
            return str(broken())
        return self._over(self._of_example, Queries(counter.queries, counter.requests))

    def _over(self, most: int | None, queries: Queries) -> str | None:
        if most is None:
            return None
        return Budget(said=f"@pytest.mark.harness(max_queries={most})", most=most).problem(queries)

    def _grown(self, test: str, queries: Queries) -> str | None:
        if self._ledger is None or self._ledger.recording:
            return None
        recorded = self._ledger.of(test, self._database())
        more = growth(queries, recorded) if recorded is not None else None
        if more is None:
            return None
        head = f"this test sends more queries than {self._ledger.file.shown} records"
        return f"{head}\n\n{more}\n\n  fix   send fewer, or record what is meant: pytest {KIND.flag}"

    def _told(self, test: str, queries: Queries) -> dict[str, Any] | None:
        if self._ledger is None:
            return None
        counts = [count.to_wire() for count in counts_of(queries)]
        return {"test": test, "database": self._database(), "counts": counts}

    def told_of_process(self) -> list[dict[str, Any]] | None:
        """Return which recorded tests do not exist any more, if this process has looked at the whole suite."""
        if self._ledger is None or not self.collected:
            return None
        return [
            {"database": database, "gone": [one for one in self._ledger.tests(database) if one not in self.collected]}
            for database in self._databases()
        ]


def shows_values(config: pytest.Config) -> bool:
    """Tell whether statements are shown with the values of their parameters: with `-vv`."""
    return config.get_verbosity() >= 2


def recorded_as(item: pytest.Item) -> str:
    """Return a test's node id without its database and the group that pytest-xdist's `--dist loadgroup` puts behind."""
    nodeid = item.nodeid
    for mark in item.iter_markers("xdist_group"):
        nodeid = nodeid.removesuffix(f"@{mark.args[0] if mark.args else mark.kwargs.get('name', 'default')}")
    return without_database(item, nodeid)


def broken() -> BudgetError:
    """Return the error for statements that cannot be counted any more."""
    return BudgetError(
        "statements cannot be counted any more: a listener of harness failed and was switched off",
        remedy="see H902 in the summary, and report it",
    )
