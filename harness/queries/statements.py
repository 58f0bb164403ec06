"""The statements that were sent while somebody counted, and the parts of them that a test asks about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from harness.errors import BudgetError
from harness.observe.facts import Request
from harness.observe.queries import OUTSIDE, TEST, Query, name_of


class Queries(Sequence[Query]):
    """Statements in the order in which they were sent.

    While its block is open it grows; afterwards it stays as it is. The parts that its methods return do not grow.
    """

    def __init__(self, queries: Sequence[Query], requests: Sequence[Request] = ()) -> None:
        self._queries = queries
        self._requests = requests

    @property
    def statements(self) -> tuple[Query, ...]:
        """All of them, now."""
        return tuple(self._queries)

    @property
    def test(self) -> Queries:
        """Those of the test's own sessions and engines, such as `db_session`, outside of requests."""
        return self._part(query for query in self._queries if query.sender == TEST)

    @property
    def app(self) -> Queries:
        """All others: those of requests, and what the application sends outside of them."""
        return self._part(query for query in self._queries if query.sender != TEST)

    @property
    def lazy_loads(self) -> Queries:
        """Those that load a relationship which was not loaded with its object."""
        return self._part(query for query in self._queries if query.lazy)

    def of(self, sender: str) -> Queries:
        """Return those of the requests to one route, or to one path: `GET /users/{id}`, `GET /users/7`.

        Args:
            sender: method and route; or `the test itself`, or `outside of requests`.

        Raises:
            BudgetError: no such request came, which is something else than one that sent nothing.
        """
        if sender in (TEST, OUTSIDE):
            return self._part(query for query in self._queries if query.sender == sender)
        wanted = [one for one in self._requests if sender in (name_of(one), f"{one.method} {one.path}")]
        if not wanted:
            came = ", ".join(dict.fromkeys(map(name_of, self._requests)))
            raise BudgetError(
                f"no request {sender!r} came while statements were counted",
                why=f"there were: {came}" if came else "there was no request",
                remedy="name method and route, as in 'GET /users/{id}'",
            )
        known = set(map(id, wanted))
        return Queries([query for query in self._queries if id(query._request) in known], wanted)

    def by_request(self) -> dict[str, Queries]:
        """Return them by sender, in the order of appearance; a request that sent nothing is there too."""
        senders = dict.fromkeys((*map(name_of, self._requests), *(query.sender for query in self._queries)))
        return {sender: self._sent_by(sender) for sender in senders}

    def by_connection(self) -> dict[int, Queries]:
        """Return them by the connection that sent them, in the order of its first use."""
        numbers = dict.fromkeys(query.connection for query in self._queries)
        return {
            number: self._part(query for query in self._queries if query.connection == number) for number in numbers
        }

    @property
    def requests(self) -> int:
        """How many requests came."""
        return len(self._requests)

    def _sent_by(self, sender: str) -> Queries:
        requests = [request for request in self._requests if name_of(request) == sender]
        return Queries([query for query in self._queries if query.sender == sender], requests)

    def _part(self, queries: Iterable[Query]) -> Queries:
        return Queries(list(queries), list(self._requests))

    # -- a sequence ------------------------------------------------------------------------------------------------

    @overload
    def __getitem__(self, index: int) -> Query: ...
    @overload
    def __getitem__(self, index: slice) -> Queries: ...
    def __getitem__(self, index: int | slice) -> Query | Queries:
        if isinstance(index, slice):
            return self._part(self.statements[index])
        return self._queries[index]

    def __iter__(self) -> Iterator[Query]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self._queries)

    def __repr__(self) -> str:
        return f"<Queries: {len(self)}>"

    def __str__(self) -> str:
        from harness.queries.wording import told

        return told(self) or "no queries"
