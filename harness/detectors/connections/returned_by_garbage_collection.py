"""H402: a connection that came back to its pool only because garbage collection found it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.connections.leaks import (
    by_place,
    counted,
    dropped_early,
    is_cancelled,
    left_behind,
    remedy,
    taken_at,
    traces,
)
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint
from harness.observe.facts import Checkout, Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H402",
    name="connection returned only by garbage collection",
    severity=Severity.WARNING,
    what="A request dropped a connection without closing it, and garbage collection had to return it.",
    why="when that happens is left to chance: under load the pool is empty before it does; a connection of an "
    "asynchronous engine cannot be returned so at all, and is thrown away",
    fix="close what uses the connection: with engine.connect() as connection, or with SessionLocal() as session",
    wrong="""
        @app.get("/stock")
        def read_stock():
            return engine.connect().execute(select(Item.stock)).scalars().all()
    """,
    right="""
        @app.get("/stock")
        def read_stock():
            with engine.connect() as connection:
                return connection.execute(select(Item.stock)).scalars().all()
    """,
    quiet=(
        "with, async with and an explicit close",
        "a connection that was still out when its request had ended: that is H401",
        "a task of its own that was still running when its event loop was closed",
        "a test's own session or connection",
        "a request that was cancelled: that is H403",
    ),
)
SIGNS = signs.LEAKED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line whose connections garbage collection had to return."""
    for request in finished(tape.requests):
        if not is_cancelled(request):
            for found in by_place(one for one in left_behind(request) if dropped_early(one, request)):
                yield _finding(request, found)


def _finding(request: Request, found: list[Checkout]) -> Finding:
    first, number = found[0], len(found)
    ended = "thrown away" if first.asynchronous else "returned"
    return Finding(
        rule=RULE,
        message=f"{counted(number, first)}, taken by {request}, had to be {ended} by garbage collection",
        site=where(taken_at(first), request),
        endpoint=endpoint(request),
        evidence=traces(first),
        fix=remedy(first),
        root=root_of(first),
    )
