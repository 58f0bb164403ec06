"""What the fixture `assert_queries` gives: blocks that count, and fail where the count is not as it should be."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from harness.errors import BudgetError
from harness.queries.budget import Budget, budget
from harness.queries.statements import Queries
from harness.run.budgets import broken

if TYPE_CHECKING:
    from harness.observe.queries import Counter, Counting


class AssertQueries:
    """Makes blocks; each is entered once, with `with` or `async with`."""

    def __init__(self, counting: Counting, test: str) -> None:
        self._counting = counting
        self._test = test
        self._blocks: list[QueryBlock] = []
        self._over = False

    def __call__(self, exact: int | None = None, *, max: int | None = None, of: str | None = None) -> QueryBlock:
        """Return a block in which so many statements are sent; without arguments it only counts.

        Args:
            exact: so many, not more and not fewer.
            max: not more.
            of: count only the statements of this request, as `GET /users/{id}`; all of them if it comes several times.

        Raises:
            BudgetError: the arguments make no budget, or the test is over.
        """
        wanted = budget(exact, max, of)
        if self._over:
            raise BudgetError(
                f"{wanted.said} was called outside of the test that it belongs to",
                where=self._test,
                remedy="take the fixture assert_queries in the test, or in the function-scoped fixture, that uses it",
            )
        block = QueryBlock(wanted, self._counting)
        self._blocks.append(block)
        return block

    def end(self) -> None:
        """The test is over.

        Raises:
            BudgetError: a block was never entered, or never left, and so has checked nothing.
        """
        self._over = True
        for block in self._blocks:
            block.abandon()
        for block in self._blocks:
            if not block.left:
                raise BudgetError(
                    f"{block.wanted.said} was {'entered and never left' if block.entered else 'never entered'}",
                    where=self._test,
                    why="so it has checked nothing",
                    remedy=f"write it as a block: with {block.wanted.said}:",
                )


class QueryBlock:
    """One block. As a context it gives the statements, which can be looked at inside and after it."""

    def __init__(self, wanted: Budget, counting: Counting) -> None:
        self.wanted = wanted
        self.entered = self.left = False
        self._counting = counting
        self._counter: Counter | None = None
        self._queries = Queries([])

    def __enter__(self) -> Queries:
        if self.entered:
            raise BudgetError(
                f"this {self.wanted.said} was entered already",
                remedy="call assert_queries anew for each block; blocks may be nested",
            )
        self.entered = True
        self._counter = self._counting.open()
        self._queries = Queries(self._counter.queries, self._counter.requests)
        return self._queries

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.left = True
        self.abandon()
        if error is not None:  # what went wrong in the block is the news
            return
        if self._counting.broken:
            raise broken()
        problem = self.wanted.problem(self._queries)
        if problem is not None:
            raise AssertionError(problem)

    async def __aenter__(self) -> Queries:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.__exit__(kind, error, traceback)

    def abandon(self) -> None:
        """Count no longer."""
        if self._counter is not None:
            self._counting.close(self._counter)
