"""What can be seen on a tape at a glance. A rule is asked only if something is there that it could look at.

Nearly all tests meet nothing, and each rule would look through their requests anew to find that out. One look is
enough: a rule's module names its `SIGNS`, of which a tape that it finds something on shows at least one.
"""

from __future__ import annotations

from harness.observe.facts import Checkout, Outcome, Phase, Request, Session, Transaction
from harness.observe.tape import Tape

# Plain numbers: with enum.Flag, to look would cost as much as to ask.
#: A session that several requests used.
SHARED = 1
#: A session that several tasks used at once.
CONCURRENT = 2
#: A session that was used when its request had answered.
LATE = 4
#: A session that began again after it was closed.
REOPENED = 8
#: Work that was not committed, or an error that nobody answered with a rollback.
LOST = 16
#: A transaction that was committed when its request had answered.
COMMITTED_LATE = 32
#: An exception that left an endpoint or an application.
FAILED = 64
#: The event loop was held.
BLOCKED = 128
#: Synchronous and asynchronous engines.
MIXED = 256
#: A connection that nobody has returned, or that garbage collection had to.
LEAKED = 512
#: A request that took a connection while it had another one.
SECOND = 1024
#: A call to another service.
CALLED = 2048
#: A background task.
BACKGROUND = 4096
#: Something that was loaded because it was touched.
LOADED = 8192
#: An object that shows what a bulk statement has changed.
STALE = 16384
#: An engine made in a request, a time that stands still, a listener that failed, something dropped.
RARE = 32768
ALL = 65535

_COMMITTED, _BACKGROUND = Outcome.COMMITTED, Phase.BACKGROUND


def signs_of(tape: Tape) -> int:
    """Return all signs that a tape shows."""
    shown = RARE if tape.engines or tape.frozen or tape.abandoned or tape.unawaited or tape.disabled else 0
    sent, kinds = 0, set()
    for request in tape.requests:
        sent += len(request.statements)
        shown |= _of_request(request)
    for session in tape.sessions:
        shown |= _of_session(session)
    for transaction in tape.transactions:
        sent -= len(transaction.statements)
        kinds.add(transaction.checkout.asynchronous)
        shown |= _of_transaction(transaction)
    if sent:  # in a transaction that had begun before, and is not on the tape
        return ALL
    for checkout in tape.checkouts:
        if checkout.returned is None or checkout.collected:
            shown |= LEAKED
    return shown | MIXED if len(kinds) > 1 else shown


def _of_request(request: Request) -> int:
    shown = 0
    if request.error is not None or request.endpoint_error is not None:
        shown = FAILED
    if request.overridden:  # a test's own session may stand for one that would not have committed
        shown |= LOST
    if request.loads:
        shown |= LOADED
    if request.calls:
        shown |= CALLED
    for phase, _ in request.phases:
        if phase is _BACKGROUND:
            shown |= BACKGROUND
    if len(request.checkouts) > 1:
        shown |= _second(request.checkouts)
    return shown


def _second(checkouts: list[Checkout]) -> int:
    """Tell whether one began before an earlier one had ended."""
    until = 0.0
    for checkout in checkouts:
        if checkout.at < until:
            return SECOND
        if checkout.returned is not None and checkout.returned > until:
            until = checkout.returned
    return 0


def _of_session(session: Session) -> int:
    shown = 0
    if len(session.requests) > 1 or session.overlaps:
        shown = SHARED
    if session.collisions or session.siblings:
        shown |= CONCURRENT
    if session.late or session.background:
        shown |= LATE
    if session.unflushed:
        shown |= LOST
    if session.stale:
        shown |= STALE
    return shown


def _of_transaction(transaction: Transaction) -> int:
    shown = REOPENED if transaction.reopened else 0
    if transaction.blocking:
        shown |= BLOCKED
    for statement in transaction.statements:
        if statement.blocking:
            shown |= BLOCKED
    committing = transaction.committing
    if transaction.outcome is not _COMMITTED:
        if committing is not None or transaction.failed is not None or transaction.writes:
            shown |= LOST
    elif committing is not None and transaction.ended_in is not None:
        answered = transaction.ended_in.answered
        if answered is not None and committing >= answered:
            shown |= COMMITTED_LATE
    return shown
