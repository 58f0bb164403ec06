"""What many rules ask of the facts: whose is it, where is it told, was it meant?"""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import CallSite, Place
from harness.observe.facts import (
    Checkout,
    Origin,
    Outcome,
    Phase,
    Request,
    Session,
    Transaction,
    site,
)


def is_own(used: Session | Checkout) -> bool:
    """Tell whether a session, or a connection and its session, are the application's own and not a test's."""
    if used.origin is not Origin.APPLICATION:
        return False
    return not isinstance(used, Checkout) or used.session is None or is_own(used.session)


def root_of(used: Session | Checkout) -> int:
    """Return the identity by which findings about one session, or about one connection without a session, meet."""
    if isinstance(used, Checkout) and used.session is not None:
        return id(used.session)
    return id(used)


def where(place: Place | None, request: Request | None) -> CallSite | None:
    """Return a place; where only libraries took part, as in serialisation, that of the request's endpoint."""
    return site(place) or (request.endpoint if request is not None else None)


def transactions_of(request: Request) -> list[Transaction]:
    """Return the transactions in which a request sent statements, also those that were open before it came."""
    found: dict[int, Transaction] = {}
    last = None
    for sent in request.statements:
        if sent.checkout is None or sent.checkout is last:
            continue
        last = sent.checkout
        for transaction in last.transactions:
            if any(one.request is request for one in transaction.statements):
                found[id(transaction)] = transaction
    return sorted(found.values(), key=lambda transaction: transaction.began)


def runs_apart(session: Session, request: Request) -> bool:
    """Tell whether a session was made by a task that the request started: it may go on when the request has ended."""
    return session.main not in (None, request.main)


def was_retried(transaction: Transaction, request: Request) -> bool:
    """Tell whether what a transaction tried was committed later in the same request, by another one."""
    tried = {sent.shape.brief for sent in transaction.statements if sent.shape.changes_rows}
    saved = {
        sent.shape.brief
        for later in transactions_of(request)
        if later.outcome is Outcome.COMMITTED and later.began > transaction.began
        for sent in later.writes
    }
    return bool(tried) and tried <= saved


def was_background(transaction: Transaction) -> bool:
    """Tell whether a transaction was a background task's own."""
    return transaction.phase is Phase.BACKGROUND


def background_of(request: Request) -> tuple[float, float] | None:
    """Return when a request's background tasks began and ended, None if it had none."""
    began = [at for phase, at in request.phases if phase is Phase.BACKGROUND]
    if not began:
        return None
    after = [at for phase, at in request.phases if phase is not Phase.BACKGROUND and at > began[-1]]
    return began[0], min(after) if after else float("inf")


def finished(requests: list[Request]) -> Iterator[Request]:
    """Yield the requests that the application has returned from."""
    return (request for request in requests if request.ended is not None)


def back_in_time(checkout: Checkout, request: Request) -> bool:
    """Tell whether a connection was back in its pool when its request had ended."""
    return checkout.returned is not None and (request.ended is None or checkout.returned <= request.ended)
