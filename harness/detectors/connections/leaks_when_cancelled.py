"""H403: a connection that a cancelled request left behind."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.connections.leaks import by_place, counted, is_cancelled, left_behind, taken_at, traces
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, route, was
from harness.observe.facts import Checkout, Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H403",
    name="connection leaks when the request is cancelled",
    severity=Severity.ERROR,
    what="A request was cancelled while it held a connection, and nothing returned the connection.",
    why="clients hang up every day; each one that does so at the wrong moment takes a connection out of the pool for "
    "good",
    fix="close the session whatever happens: async with AsyncSessionLocal() as session, or a finally after the yield",
    wrong="""
        async def get_db():
            db = AsyncSessionLocal()
            yield db
            await db.close()
    """,
    right="""
        async def get_db():
            async with AsyncSessionLocal() as db:
                yield db
    """,
    quiet=(
        "a close in a finally, async with, and a close that is still under way when the cancelled request has ended",
        "a request that was cancelled during a statement: SQLAlchemy gives that connection up itself",
        "a test's own session",
    ),
    opt_in=True,
)
SIGNS = signs.LEAKED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line whose connections a cancelled request left behind."""
    for request in finished(tape.requests):
        if is_cancelled(request):
            for lost in by_place(left_behind(request)):
                yield _finding(request, lost)


def _finding(request: Request, lost: list[Checkout]) -> Finding:
    first, number = lost[0], len(lost)
    return Finding(
        rule=RULE,
        message=f"{route(request)} was cancelled, and {counted(number, first)} {was(number)} not returned to the pool",
        site=where(taken_at(first), request),
        endpoint=endpoint(request),
        evidence=traces(first),
        root=root_of(first),
    )
