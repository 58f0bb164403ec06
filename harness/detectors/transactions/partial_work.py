"""H207: a request committed a part of its work, and then failed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, plural, statements
from harness.observe.facts import (
    Failure,
    Outcome,
    Phase,
    Request,
    Session,
    Statement,
    Transaction,
)
from harness.observe.tape import Tape

RULE = Rule(
    code="H207",
    name="partial work committed",
    severity=Severity.INFO,
    what="A request committed some of its writes, and failed before it had committed the rest.",
    why="the client is told that it failed and tries again, on top of the half that is already there",
    fix="commit once, at the end; if a part must stand on its own, make the request safe to repeat",
    wrong="""
        db.add(order)
        db.commit()
        db.add(Payment(order_id=order.id, amount=charge(order)))    # raises: an order without a payment
        db.commit()
    """,
    right="""
        db.add(order)
        db.flush()
        db.add(Payment(order_id=order.id, amount=charge(order)))
        db.commit()
    """,
    quiet=(
        "one commit before a deliberate HTTP error, as when a failed login is counted",
        "an audit entry that a session of its own commits",
        "a request that went well, and background work",
    ),
)
SIGNS = signs.FAILED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session whose request failed between two of its commits, or after several."""
    for request in finished(tape.requests):
        failure = _failure(request)
        for session in request.sessions if failure is not None else ():
            if failure is not None and is_own(session):
                yield from _judge(request, session, failure)


def _failure(request: Request) -> Failure | None:
    """Return what went wrong unexpectedly; an HTTP error that the code asked for was meant."""
    failure = request.endpoint_error or request.error
    if failure is None or (failure.http is not None and failure.http < 500):
        return None
    return failure


def _judge(request: Request, session: Session, failure: Failure) -> Iterator[Finding]:
    mine = [
        transaction
        for transaction in session.transactions
        if transaction.request is request and transaction.phase is not Phase.BACKGROUND
    ]
    failed_at = request.endpoint_error_at
    kept = [
        transaction
        for transaction in mine
        if transaction.outcome is Outcome.COMMITTED
        and transaction.writes
        and (failed_at is None or (transaction.ended or 0.0) <= failed_at)
    ]
    lost = [
        sent
        for transaction in mine
        if transaction.outcome is not Outcome.COMMITTED and kept and transaction.began > kept[-1].began
        for sent in transaction.statements
        if sent.shape.changes_rows and not sent.undone
    ]
    if kept and (lost or len(kept) > 1):
        yield _finding(request, session, failure, kept, lost)


def _finding(
    request: Request, session: Session, failure: Failure, kept: list[Transaction], lost: list[Statement]
) -> Finding:
    stayed = [sent for transaction in kept for sent in transaction.writes]
    rest = f"; {plural(len(lost), 'later write')} ({statements(lost)}) did not follow" if lost else ""
    return Finding(
        rule=RULE,
        message=f"{request} failed with {failure.name} after {plural(len(kept), 'commit')}: "
        f"{plural(len(stayed), 'write')} ({statements(stayed)}) stayed{rest}",
        site=where(kept[-1].end_place or kept[-1].place, request),
        endpoint=endpoint(request),
        evidence=(*each(stayed, "{} was committed"), *each(lost, "{} was not")),
        subject=stayed[0].shape.table,
        root=root_of(session),
    )
