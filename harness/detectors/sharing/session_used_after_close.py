"""H107: a session is used after it was closed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, runs_apart, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, maker, seen
from harness.observe.facts import Outcome, Request, Session, Transaction
from harness.observe.tape import Tape

RULE = Rule(
    code="H107",
    name="session used after it was closed",
    severity=Severity.ERROR,
    what="A session was closed, began again at its next use, and nothing closed it a second time.",
    why="its connection stays out of the pool until garbage collection, and the pool runs dry under load",
    fix="keep the session open while it is used: with contextlib.contextmanager(get_db)() as db, or Depends(get_db)",
    wrong="""
        def current_user(token: str):
            db = next(get_db())         # the generator is dropped, and its finally closes the session
            return db.get(User, user_id_of(token))
    """,
    right="""
        def current_user(token: str, db: Session = Depends(get_db)):
            return db.get(User, user_id_of(token))
    """,
    quiet=(
        "close() used as a reset, where the session is closed again at the end",
        "a session that is closed by whoever called, in a finally or with a with-block",
        "only a warning where what was begun again has been committed or rolled back: no connection is held",
    ),
)
SIGNS = signs.REOPENED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session of a request that was begun again and stayed open."""
    for session in tape.sessions:
        again = reopened(session)
        request = again[0].request if again else None
        if again and request is not None and request.ended is not None and not runs_apart(session, request):
            yield _finding(session, request, again)


def reopened(session: Session) -> list[Transaction]:
    """Return the transactions that the application's session began after it was closed for the last time."""
    if not is_own(session):
        return []
    closed = session.closed[-1][0] if session.closed else 0.0
    return [transaction for transaction in session.transactions if transaction.reopened and transaction.began > closed]


def reopened_for_good(session: Session) -> bool:
    """Tell whether a session that was begun again still has its connection, or lost it to garbage collection."""
    return any(
        transaction.outcome is Outcome.OPEN or transaction.checkout.collected for transaction in reopened(session)
    )


def _finding(session: Session, request: Request, again: list[Transaction]) -> Finding:
    held = reopened_for_good(session)
    first = again[0]
    closed = [place for when, place in session.closed if when < first.began]
    sent = first.statements[0] if first.statements else None
    what = sent.shape.brief if sent is not None else "its next use"
    place = sent.place if sent is not None else first.place
    return Finding(
        rule=RULE,
        message=f"{maker(session)} was used after it was closed: {what} in {request} began it again, "
        f"{'and nothing closed it' if held else 'and nothing closed it, though it was committed or rolled back'}",
        site=where(place, request),
        endpoint=endpoint(request),
        evidence=(
            *((seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()),
            *((seen("it was closed here", closed[-1]),) if closed and closed[-1] is not None else ()),
            seen(f"{what} began it again", place),
        ),
        level=None if held else Severity.WARNING,
        root=root_of(session),
    )
