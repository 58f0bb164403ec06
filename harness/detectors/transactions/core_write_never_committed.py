"""H208: a write on a Core connection that nobody committed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, is_own, root_of, transactions_of, was_retried, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, plural, seen, statements, was
from harness.observe.facts import Outcome, Request, Statement, Transaction
from harness.observe.tape import Tape

RULE = Rule(
    code="H208",
    name="Core connection closed with an uncommitted write",
    severity=Severity.ERROR,
    what="A request that went well wrote on a connection of an engine, which was closed without a commit.",
    why="SQLAlchemy 2 begins a transaction by itself and rolls it back at close: in production the data is lost",
    fix="use engine.begin(), which commits at its end, or call connection.commit()",
    wrong="""
        with engine.connect() as connection:
            connection.execute(insert(items).values(name=name))
    """,
    right="""
        with engine.begin() as connection:
            connection.execute(insert(items).values(name=name))
    """,
    quiet=(
        "an explicit rollback, and a block that was left with an exception",
        "engines and connections in AUTOCOMMIT, and statements that changed no row",
        "a request that failed, or was answered with 400 or above",
    ),
)
SIGNS = signs.LOST


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each connection that lost what a successful request wrote on it."""
    for request in finished(tape.requests):
        for transaction in transactions_of(request) if request.ok else ():
            if transaction.session is not None:
                continue
            writes = [sent for sent in transaction.writes if sent.request is request]
            if writes and _is_lost(transaction, request):
                yield _finding(request, transaction, writes)


def _is_lost(transaction: Transaction, request: Request) -> bool:
    checkout = transaction.checkout
    if not is_own(checkout) or transaction.failed is not None:
        return False
    if transaction.outcome is Outcome.OPEN:
        # A connection that is older than the request may go on with its transaction.
        return checkout.request is request and checkout.returned is None
    return (
        transaction.outcome is Outcome.DISCARDED and not transaction.unwinding and not was_retried(transaction, request)
    )


def _finding(request: Request, transaction: Transaction, writes: list[Statement]) -> Finding:
    checkout = transaction.checkout
    begin = "async with engine.begin()" if checkout.asynchronous else "with engine.begin()"
    commit = "await connection.commit()" if checkout.asynchronous else "connection.commit()"
    fate = "discarded when the connection was closed"
    if transaction.outcome is Outcome.OPEN:
        fate = "never committed: the connection was still out when the request had ended"
    elif checkout.collected:
        fate = "discarded when garbage collection returned the connection"
    taken = (seen("the connection was taken here", checkout.place),) if checkout.place is not None else ()
    closed = (seen("it was closed here, without a commit", transaction.end_place),) if transaction.end_place else ()
    return Finding(
        rule=RULE,
        message=f"{plural(len(writes), 'write')} ({statements(writes)}) of {request} {was(len(writes))} {fate}",
        site=where(writes[0].place, request),
        endpoint=endpoint(request),
        evidence=(*each(writes, "{} was sent here"), *taken, *closed),
        fix=f"use {begin}, which commits at its end, or {commit} after the last write",
        subject=writes[0].shape.table,
        root=root_of(checkout),
    )
