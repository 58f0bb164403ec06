"""H106: a session goes on working when its request has ended."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, runs_apart, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, maker, seen
from harness.observe.facts import Session
from harness.observe.incidents import Use
from harness.observe.tape import Tape

RULE = Rule(
    code="H106",
    name="session outlives its request",
    severity=Severity.ERROR,
    what="A session that was made for a request was used when that request had ended.",
    why="the session had been closed and begins again without anybody to close it: its connection leaks, and an "
    "error in it reaches nobody",
    fix="let what goes on after the request open a session of its own",
    wrong="""
        @app.post("/orders")
        async def order(db: AsyncSession = Depends(get_db)):
            asyncio.create_task(write_audit(db))
            return {"ok": True}
    """,
    right="""
        @app.post("/orders")
        async def order():
            app.state.audits.add(asyncio.create_task(write_audit()))    # opens its own session
            return {"ok": True}
    """,
    quiet=(
        "a session that a task of its own made, and that goes on with it",
        "closing the session late",
        "a session that a later request uses: that is H101",
        "background tasks of the response: that is H105",
    ),
)
SIGNS = signs.LATE

_ENDINGS = ("close", "rollback")


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session that was used when its request had ended."""
    for session in tape.sessions:
        late = [use for use in session.late if use.request in (None, session.request) and use.what not in _ENDINGS]
        if late and is_own(session) and session.request is not None and not runs_apart(session, session.request):
            yield _finding(session, late)


def _finding(session: Session, late: list[Use]) -> Finding:
    request = session.request
    assert request is not None
    ended = request.ended or 0.0
    sent = [
        statement
        for transaction in session.transactions
        for statement in transaction.statements
        if statement.at > ended and statement.request is request
    ]
    what = f": {sent[0].shape.brief}" if sent else f", for {late[0].what}"
    place = sent[0].place if sent else late[0].place
    return Finding(
        rule=RULE,
        message=f"{maker(session)} was used when {request} had ended{what}",
        site=where(place or late[0].place, request),
        endpoint=endpoint(request),
        evidence=(
            seen("it was used here, after the request", place or late[0].place),
            *((seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()),
        ),
        root=root_of(session),
    )
