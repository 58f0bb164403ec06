"""How many statements each request of a test sent, by shape; and what has grown since somebody wrote it down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.queries.shapes import key_of
from harness.queries.statements import Queries
from harness.queries.wording import told_growth
from harness.report.order import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What one sender sent in one test: all requests to one route, or the test itself.

    Attributes:
        request: method and route, or who else sent them.
        times: how many such requests there were; 1 for others.
        shapes: how many statements of each shape.
    """

    request: str
    times: int
    shapes: Mapping[str, int]

    @property
    def queries(self) -> int:
        """How many statements."""
        return sum(self.shapes.values())

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values that survive JSON and pytest-xdist, in the order of the file."""
        return {
            "request": self.request,
            "times": self.times,
            "queries": self.queries,
            "shapes": dict(sorted(self.shapes.items())),
        }

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Count:
        """Return the count that `to_wire` described."""
        return cls(request=data["request"], times=data["times"], shapes=data["shapes"])


def counts_of(queries: Queries) -> list[Count]:
    """Return a count for each sender."""
    return [
        Count(request=sender, times=max(sent.requests, 1), shapes=Counter(key_of(query.sql) for query in sent))
        for sender, sent in queries.by_request().items()
    ]


def growth(queries: Queries, recorded: Iterable[Count]) -> str | None:
    """Return what was sent more than is recorded, by sender; None if nothing was."""
    known = {count.request: count for count in recorded}
    sent = queries.by_request()
    blocks = []
    for now in counts_of(queries):
        then = known.get(now.request)
        if now.queries > (then.queries if then is not None else 0):
            before = then.shapes if then is not None else {}
            more = {
                shape: before.get(shape, 0) for shape, number in now.shapes.items() if number > before.get(shape, 0)
            }
            gone = [clause for shape, number in before.items() if (clause := _less(shape, number, now))]
            block = told_growth(now.request, _fact(now, then), sent[now.request], more)
            blocks.append("\n".join((block, *gone)))
    return "\n\n".join(blocks) or None


def _less(shape: str, number: int, now: Count) -> str:
    left = now.shapes.get(shape, 0)
    fewer = f"{left} × " if left else "gone: "
    return f"  {fewer}{shape.rpartition(' #')[0]}, {number} recorded" if left < number else ""


def _fact(now: Count, then: Count | None) -> str:
    if then is None:
        return f"{counted(now.queries, 'query')}, none recorded"
    more = f", in {counted(now.times, 'request')} instead of {then.times}" if now.times != then.times else ""
    return f"{counted(now.queries, 'query')}, {then.queries} recorded{more}"


def shrunk(now: Iterable[Count], recorded: Iterable[Count]) -> list[str]:
    """Return the senders that sent fewer than is recorded, as `GET /users 5 → 3`."""
    sent = {count.request: count.queries for count in now}
    return [
        f"{count.request} {count.queries} → {sent.get(count.request, 0)}"
        for count in recorded
        if sent.get(count.request, 0) < count.queries
    ]
