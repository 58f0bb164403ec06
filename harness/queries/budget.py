"""A query budget: how many statements a block, a marker or a test may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.errors import BudgetError
from harness.queries.statements import Queries
from harness.queries.wording import told
from harness.report.order import counted

_USAGE = "assert_queries(3), assert_queries(max=5), assert_queries(0), or assert_queries() to count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many statements are allowed; neither `exact` nor `most` is a counter that allows all.

    Attributes:
        exact: so many, not more and not fewer.
        most: not more.
        of: only of this request, as `GET /users/{id}`.
        said: how the user wrote it, for messages.
    """

    said: str
    exact: int | None = None
    most: int | None = None
    of: str | None = None

    def problem(self, queries: Queries) -> str | None:
        """Return what is to be said of the statements that were sent; None if they are as they should be.

        Raises:
            BudgetError: it is for one request, and no such request came.
        """
        sent = queries.of(self.of) if self.of is not None else queries
        right = self.exact if self.exact is not None else self.most
        if right is None or len(sent) == right or (self.exact is None and len(sent) < right):
            return None
        limit = f"at most {counted(right, 'query')}" if self.exact is None else counted(right, "query")
        were = "was" if len(sent) == 1 else "were"
        head = f"{self.said}: {limit} expected{f' of {self.of}' if self.of else ''}, {len(sent)} {were} sent"
        listed = told(sent)
        return f"{head}\n\n{listed}" if listed else head


def budget(exact: Any, most: Any, of: Any) -> Budget:
    """Return the budget that a call of `assert_queries` asks for.

    Raises:
        BudgetError: the arguments make none.
    """
    given = [repr(exact)] if exact is not None else []
    given += [f"{name}={value!r}" for name, value in (("max", most), ("of", of)) if value is not None]
    said = f"assert_queries({', '.join(given)})"
    if exact is not None and most is not None:
        raise BudgetError(f"{said} has an exact number and a max", remedy=f"give one of the two: {_USAGE}")
    for value in (exact, most):
        if value is None:
            continue
        if type(value) is not int:
            raise BudgetError(f"{said} takes a whole number, not {value!r}", remedy=f"write {_USAGE}")
        if value < 0:
            raise BudgetError(f"{said} allows fewer than no queries", remedy=f"write {_USAGE}")
    if of is not None and (not isinstance(of, str) or not of.strip()):
        raise BudgetError(
            f"{said} takes the name of a request, not {of!r}", remedy="name method and route: of='GET /users/{id}'"
        )
    return Budget(said=said, exact=exact, most=most, of=of)
