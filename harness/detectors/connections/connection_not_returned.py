"""H401: a connection that was still out of its pool when its request had ended."""

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
from harness.detectors.wording import endpoint, listing, was
from harness.observe.facts import Checkout, Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H401",
    name="connection not returned",
    severity=Severity.ERROR,
    what="A request took a connection from the pool, and has ended without returning it.",
    why="each such request takes one connection away for good; after pool_size + max_overflow of them every request "
    "waits for pool_timeout and fails",
    fix="close what uses the connection, whatever happens: with SessionLocal() as session, or a finally",
    wrong="""
        @app.get("/users/{id}")
        def read_user(id: int):
            db = SessionLocal()
            return db.get(User, id)
    """,
    right="""
        @app.get("/users/{id}")
        def read_user(id: int):
            with SessionLocal() as db:
                return db.get(User, id)
    """,
    quiet=(
        "with and async with, also around a yield without try and finally",
        "a session that is closed, used again and closed again",
        "a streamed body that is still being sent, and a task of its own that goes on with a session of its own",
        "a connection that is returned later on purpose, and one that was taken outside of all requests",
        "a test's own session",
        "a connection that garbage collection returned while the request was still under way: that is H402",
        "a request that was cancelled: that is H403",
    ),
)
SIGNS = signs.LEAKED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line whose connections were still out when their request had ended."""
    for request in finished(tape.requests):
        if not is_cancelled(request):
            for lost in by_place(one for one in left_behind(request) if not dropped_early(one, request)):
                yield _finding(request, lost)


def _finding(request: Request, lost: list[Checkout]) -> Finding:
    first, number = lost[0], len(lost)
    sent = [statement.shape.brief for checkout in lost for statement in checkout.statements]
    after = f" after {listing(sent)}" if sent else ""
    return Finding(
        rule=RULE,
        message=f"{counted(number, first)} {was(number)} not returned to the pool{after}: "
        f"still out when {request} had ended",
        site=where(taken_at(first), request),
        endpoint=endpoint(request),
        evidence=traces(first),
        fix=remedy(first),
        root=root_of(first),
    )
