"""H206: a database error that was caught and not answered with a rollback."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import finished, is_own, root_of, was_retried, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, plural, route, seen, statements, was
from harness.observe.facts import Failure, Outcome, Request, Statement, Transaction
from harness.observe.tape import Tape

RULE = Rule(
    code="H206",
    name="database error swallowed without rollback",
    severity=Severity.ERROR,
    what="A flush failed, the exception was caught, nobody rolled back, and the request was answered with success.",
    why="all that the transaction wrote before is gone too, and the next use of the session fails",
    fix="roll back in the handler and answer with an error, or try the statement inside session.begin_nested()",
    wrong="""
        try:
            db.add(Item(name=name))
            db.commit()
        except SQLAlchemyError:
            logger.exception("could not save")
        return {"ok": True}
    """,
    right="""
        try:
            db.add(Item(name=name))
            db.commit()
        except IntegrityError:
            db.rollback()
            raise HTTPException(409, "exists already")
        return {"ok": True}
    """,
    quiet=(
        "a rollback in the handler, and a savepoint: session.begin_nested()",
        "a session whose own with-block the exception has left",
        "a request that was answered with 400 or above",
        "an attempt whose repetition was committed",
        "only a warning where an IntegrityError cost nothing but its own statement: that may be meant",
    ),
)
SIGNS = signs.LOST


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each failed flush that a successful request kept to itself."""
    for request in finished(tape.requests):
        for session in request.sessions if request.ok else ():
            for transaction in session.transactions if is_own(session) else ():
                failure = transaction.failed
                if failure is not None and _is_swallowed(transaction, request):
                    yield _finding(request, transaction, failure)


def _is_swallowed(transaction: Transaction, request: Request) -> bool:
    return (
        any(sent.request is request for sent in transaction.statements)
        and transaction.outcome in (Outcome.DISCARDED, Outcome.OPEN)
        and not transaction.unwinding
        and not was_retried(transaction, request)
    )


def _finding(request: Request, transaction: Transaction, failure: Failure) -> Finding:
    session = transaction.session
    assert session is not None
    failed = _failed(transaction)
    writes = [sent for sent in transaction.writes if sent is not failed]
    what = f"{failure.name} of {failed.shape.brief}" if failed is not None else failure.name
    lost = f", and {plural(len(writes), 'earlier write')} ({statements(writes)}) {was(len(writes))} lost with it"
    ended: tuple[Evidence, ...] = ()
    if transaction.end_place is not None:
        ended = (seen("the session was closed here, without a rollback", transaction.end_place),)
    return Finding(
        rule=RULE,
        message=f"{what} was swallowed without a rollback: {route(request)} was answered {request.status or 'anyway'}"
        f"{lost if writes else ''}",
        site=where(failure.place or (failed.place if failed is not None else None), request),
        endpoint=endpoint(request),
        evidence=(
            *((seen(f"{failed.shape.brief} failed here", failed.place),) if failed is not None else ()),
            *each(writes, "{} had been sent here"),
            *ended,
        ),
        subject=failed.shape.table if failed is not None else failure.name,
        level=Severity.WARNING if failure.name == "IntegrityError" and not writes else None,
        root=root_of(session),
    )


def _failed(transaction: Transaction) -> Statement | None:
    """Return the statement that failed: the last one whose cursor never came back."""
    return next((sent for sent in reversed(transaction.statements) if sent.seconds is None), None)
