"""What a request did on a session and nobody committed: asked by the rules about lost writes and lost changes."""

from __future__ import annotations

from dataclasses import dataclass

from harness.detectors.questions import is_own, runs_apart, was_retried
from harness.observe.facts import Outcome, Request, Session, Statement, Transaction
from harness.observe.incidents import Unflushed


@dataclass(frozen=True, slots=True)
class Loss:
    """Work of one request on one session that was never committed.

    Attributes:
        writes: statements that changed rows.
        unsent: objects added or deleted that the session never told the database.
        changed: objects whose attributes were changed, and whose session never told the database.
        last: the last transaction that lost something; None if nothing was ever sent.
    """

    writes: list[Statement]
    unsent: list[Unflushed]
    changed: list[Unflushed]
    last: Transaction | None


def lost(request: Request, session: Session) -> Loss:
    """Return what a request that went well did on a session and nobody committed."""
    writes: list[Statement] = []
    last, own = None, is_own(session)
    for transaction in session.transactions:
        if own and transaction.outcome is Outcome.COMMITTED:
            continue
        mine = [sent for sent in transaction.writes if sent.request is request]
        if mine and _is_lost(transaction, request, session):
            writes += mine
            last = transaction
    unsent, changed = _unflushed(request, session)
    return Loss(writes, unsent, changed, last)


def _is_lost(transaction: Transaction, request: Request, session: Session) -> bool:
    # A flush that failed and was swallowed has a rule of its own.
    if transaction.failed is not None:
        return False
    if not is_own(session):
        if request in session.carried:  # a query of the request may have sent what the test had left in its session
            return False
        return _replaces_one_that_does_not_commit(request) and not _ended_by(transaction, request)
    if transaction.outcome is Outcome.OPEN:
        return not runs_apart(session, request)
    # Leaving a block with an exception gives up its work on purpose; and what a second attempt has saved is not lost.
    return (
        transaction.outcome is Outcome.DISCARDED and not transaction.unwinding and not was_retried(transaction, request)
    )


def _ended_by(transaction: Transaction, request: Request) -> bool:
    """Tell whether the request, and not the test after it, committed a test's session or rolled it back."""
    return (
        transaction.outcome in (Outcome.COMMITTED, Outcome.ROLLED_BACK)
        and transaction.ended is not None
        and (request.ended is None or transaction.ended <= request.ended)
    )


def _replaces_one_that_does_not_commit(request: Request) -> bool:
    """Tell whether a test's session stands for a production dependency that is known not to commit."""
    return bool(request.overridden) and not any(replaced.commits for replaced in request.overridden)


def _unflushed(request: Request, session: Session) -> tuple[list[Unflushed], list[Unflushed]]:
    mine = [work for work in session.unflushed if work.request is request]
    if not mine:
        return [], []
    if not is_own(session):
        # A test may have left work of its own in its session; only an object that a request added tells its line.
        added = [work for work in mine if work.change == "add" and work.place is not None]
        return (added if _replaces_one_that_does_not_commit(request) else []), []
    if _goes_on(session, request):
        return [], []
    mine = [work for work in mine if not _settled_later(work, session)]
    return (
        [work for work in mine if work.change != "change"],
        [work for work in mine if work.change == "change" and work.attributes],
    )


def _settled_later(work: Unflushed, session: Session) -> bool:
    """Tell whether a transaction that ended later took the work along, or gave it up because of an exception."""
    return any(
        transaction.ended is not None
        and transaction.ended >= work.at
        and (transaction.outcome is Outcome.COMMITTED or transaction.unwinding or transaction.failed is not None)
        for transaction in session.transactions
    )


def _goes_on(session: Session, request: Request) -> bool:
    """Tell whether a task of its own may still be using a session."""
    open_still = any(transaction.outcome is Outcome.OPEN for transaction in session.transactions)
    return open_still and runs_apart(session, request)
