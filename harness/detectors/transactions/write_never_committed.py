"""H201: a write that nobody committed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import Place
from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import finished, is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.transactions.losses import Loss, lost
from harness.detectors.versions import Versions
from harness.detectors.wording import commit_call, each, endpoint, listing, maker, plural, seen, was
from harness.observe.facts import Outcome, Request, Session
from harness.observe.tape import Tape

RULE = Rule(
    code="H201",
    name="write never committed",
    severity=Severity.ERROR,
    what="A request was answered with success, and what it wrote was discarded when its session was closed.",
    why="in production the data is lost although the client was told that it was saved",
    fix="commit before the response: db.commit(), or await db.commit() with an AsyncSession",
    wrong="""
        @app.post("/items", status_code=201)
        def create_item(item: ItemIn, db: Session = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            db.flush()
            return {"ok": True}
    """,
    right="""
        @app.post("/items", status_code=201)
        def create_item(item: ItemIn, db: Session = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            db.commit()
            return {"ok": True}
    """,
    quiet=(
        "an explicit rollback, as in a dry run",
        "a request that failed, or was answered with 400 or above",
        "statements that changed no row, and engines in AUTOCOMMIT",
        "a block that was left with an exception, and an attempt whose repetition was committed",
        "a test's own session in the place of a production dependency that commits",
    ),
)
SIGNS = signs.LOST


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session on which a request that went well lost what it wrote."""
    for request in finished(tape.requests):
        for session in request.sessions if request.ok else ():
            loss = lost(request, session)
            if loss.writes or loss.unsent:
                yield _finding(request, session, loss)


def _finding(request: Request, session: Session, loss: Loss) -> Finding:
    names = [sent.shape.brief for sent in loss.writes]
    names += [f"{'new' if work.change == 'add' else 'deleted'} {work.model}" for work in loss.unsent]
    number = len(names)
    what = f"{plural(number, 'write')} ({listing(names)}) of {request}"
    place = loss.writes[0].place if loss.writes else next((work.place for work in loss.unsent if work.place), None)
    return Finding(
        rule=RULE,
        message=f"{what} {was(number)} {_fate(session, loss, number)}",
        site=where(place, request),
        endpoint=endpoint(request),
        evidence=_evidence(session, loss),
        fix=f"commit before the response is sent: {commit_call(session.asynchronous)} after the last write",
        subject=loss.writes[0].shape.table if loss.writes else loss.unsent[0].model,
        root=root_of(session),
    )


def _fate(session: Session, loss: Loss, number: int) -> str:
    if not is_own(session):
        kept = "it" if number == 1 else "them"
        return f"not committed by the request: only the test's own session kept {kept}"
    if loss.last is not None and loss.last.outcome is Outcome.OPEN:
        return "never committed: the transaction was still open when the request had ended"
    if loss.last is not None and loss.last.checkout.collected:
        return "discarded when garbage collection returned the connection"
    return "discarded when the session was closed"


def _evidence(session: Session, loss: Loss) -> tuple[Evidence, ...]:
    flushed = each(loss.writes, "{} was sent here")
    unsent = tuple(
        seen(f"{work.model} was {'added' if work.change == 'add' else 'deleted'} and never flushed", work.place)
        for work in loss.unsent[:4]
    )
    made = (seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()
    return (*flushed, *unsent, *made, *_closed(session, loss))


def _closed(session: Session, loss: Loss) -> tuple[Evidence, ...]:
    place: Place | None = loss.last.end_place if loss.last is not None else None
    if place is None and loss.last is None and session.closed:
        place = session.closed[-1][1]
    return (seen("it was closed here, without a commit", place),) if place is not None and is_own(session) else ()
