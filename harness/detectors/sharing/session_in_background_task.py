"""H105: a background task uses the session of its request."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.sharing.session_used_after_close import reopened_for_good
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, maker, plural, route, seen
from harness.observe.facts import Phase, Session
from harness.observe.tape import Tape

RULE = Rule(
    code="H105",
    name="request's session in a background task",
    severity=Severity.WARNING,
    what="A background task used a session that was made for its request.",
    why="whether that session is open, closed or silently begun again depends on FastAPI's version and the "
    "dependency's scope; while it is open, each running task keeps a connection of the pool",
    fix="give the task ids instead of objects, and let it open a session of its own: with SessionLocal() as db",
    wrong="""
        @app.post("/orders")
        def order(tasks: BackgroundTasks, db: Session = Depends(get_db)):
            tasks.add_task(send_receipt, db, order_id)
    """,
    right="""
        @app.post("/orders")
        def order(tasks: BackgroundTasks, db: Session = Depends(get_db)):
            tasks.add_task(send_receipt, order_id)      # def send_receipt: with SessionLocal() as db: ...
    """,
    quiet=(
        "a session that the task made itself, or got from a factory",
        "closing the session after the task",
    ),
)
SIGNS = signs.LATE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request whose background tasks used its session."""
    for session in tape.sessions:
        mine = is_own(session) and not session.after_response and session.phase is not Phase.BACKGROUND
        if mine and session.background:
            yield _finding(session, versions)


def _finding(session: Session, versions: Versions) -> Finding:
    use = session.background[0]
    request = use.request
    leaked = reopened_for_good(session)
    reopened = [
        seen(
            f"it had been closed here, and the task began it again{'; nothing closes it any more' if leaked else ''}",
            at,
        )
        for when, at in session.closed
        if when < use.at
    ]
    sent = [
        statement
        for transaction in session.transactions
        for statement in transaction.statements
        if statement.phase is Phase.BACKGROUND
    ]
    number = f": {plural(len(sent), 'statement')}" if sent else ""
    return Finding(
        rule=RULE,
        message=f"a background task of {route(request) if request is not None else 'a request'} used "
        f"{maker(session)}{number}",
        site=where(use.root or use.place, request),
        endpoint=endpoint(request),
        evidence=(
            seen("the task used the session here", use.place),
            *((seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()),
            *reopened[-1:],
        ),
        level=Severity.ERROR if leaked else None,
        root=root_of(session),
    )
