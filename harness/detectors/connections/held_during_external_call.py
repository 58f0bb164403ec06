"""H405: a connection that waits while another service answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.callsite import Place
from harness.detectors import signs
from harness.detectors.connections.leaks import holder, is_apart, taken_at
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import commit_call, endpoint, listing, plural, route, seen, was
from harness.observe.facts import Checkout, Request, Statement
from harness.observe.incidents import ExternalCall
from harness.observe.tape import Tape

RULE = Rule(
    code="H405",
    name="connection held during external call",
    severity=Severity.WARNING,
    what="A request called another service while it held a connection, as after any statement without a commit.",
    why="the connection is idle, mostly in a transaction, for as long as the other side takes; on the day it is slow "
    "the pool is empty and every request fails",
    fix="read what the call needs, end the transaction, then call",
    wrong="""
        @app.post("/orders/{id}/ship")
        def ship(id: int, db: Session = Depends(get_db)):
            order = db.get(Order, id)
            return httpx.post(PARCELS, json={"order": order.id}).json()
    """,
    right="""
        @app.post("/orders/{id}/ship")
        def ship(id: int, db: Session = Depends(get_db)):
            parcel = {"order": db.get(Order, id).id}
            db.commit()
            return httpx.post(PARCELS, json=parcel).json()
    """,
    quiet=(
        "a call before the first statement, and after a commit, rollback or close",
        "a call to an application in the same process, as by a test client",
        "a connection that a task of its own holds, side by side with the call",
        "a test's own session, and what harness itself holds",
        "libraries whose calls are replaced above the place where they are seen",
    ),
)
SIGNS = signs.CALLED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line that called another service while its request held a connection."""
    for request in tape.requests:
        found: dict[Place | None, list[ExternalCall]] = defaultdict(list)
        for call in request.calls:
            if _held(call):
                found[call.place].append(call)
        for calls in found.values():
            yield _finding(request, calls)


def _held(call: ExternalCall) -> list[Checkout]:
    return [one for one in call.held if is_own(one) and not is_apart(one, call.request)]


def _finding(request: Request, calls: list[ExternalCall]) -> Finding:
    first = calls[0]
    held = _held(first)
    session = held[0].session
    last = _last(held[0], first.at)
    since = f", idle since {last.shape.brief}" if last is not None else ""
    evidence: tuple[Evidence, ...] = tuple(
        seen(f"{holder(one)} took its connection here", taken_at(one)) for one in held[:3]
    )
    if last is not None and last.place != taken_at(held[0]):
        evidence = (*evidence, seen(f"{last.shape.brief} was its last statement before the call", last.place))
    return Finding(
        rule=RULE,
        message=f"{plural(len(calls), 'external call')} ({listing(call.target for call in calls)}, by {first.library}) "
        f"{was(len(calls))} made while {route(request)} held {plural(len(held), 'connection')} "
        f"({listing(map(holder, held))}{since})",
        site=where(first.place, request),
        endpoint=endpoint(request),
        evidence=evidence,
        fix=f"{RULE.fix}: {commit_call(session.asynchronous)} before it" if session is not None else "",
        subject=first.target,
        root=root_of(held[0]),
    )


def _last(checkout: Checkout, at: float) -> Statement | None:
    """Return the last statement on a connection before some moment."""
    return next((sent for sent in reversed(checkout.statements) if sent.at <= at), None)
