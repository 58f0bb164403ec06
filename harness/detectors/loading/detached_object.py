"""H504: what DetachedInstanceError does not say: which session was closed, where, and what to load before."""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import Place
from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, maker, route, seen
from harness.observe.facts import Failure, Phase, Request, Session
from harness.observe.tape import Tape

RULE = Rule(
    code="H504",
    name="detached object in the response",
    severity=Severity.ERROR,
    what="An object was read after its session had been closed, and what was read had not been loaded, so the request "
    "failed with DetachedInstanceError.",
    why="the request fails wherever the attribute happens not to be loaded, and SQLAlchemy does not say where the "
    "session was closed",
    fix="load what the answer needs before the session is closed, or close it later: in the dependency",
    wrong="""
        @app.get("/orders/{id}/buyer")
        def read_buyer(id: int):
            with SessionLocal() as db:
                order = db.get(Order, id)
            return {"name": order.user.name}
    """,
    right="""
        @app.get("/orders/{id}/buyer")
        def read_buyer(id: int):
            with SessionLocal() as db:
                order = db.get(Order, id, options=[selectinload(Order.user)])
            return {"name": order.user.name}
    """,
    quiet=(
        "a detached object of which only loaded attributes are read",
        "an object that a test made and put in the place of a dependency",
    ),
)
SIGNS = signs.FAILED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request that failed because it read an object without a session."""
    for request in tape.requests:
        failure = next((error for error in (request.endpoint_error, request.error) if error and error.detached), None)
        if failure is None:
            continue
        closed = _closed_before(request)
        if closed is not None or not request.overridden:
            yield _finding(request, failure, closed)


def _closed_before(request: Request) -> tuple[Session, Place | None] | None:
    """Return the application's session that was closed last before the object was read, and where."""
    until = request.endpoint_error_at
    if until is None:
        began = [at for phase, at in request.phases if phase is Phase.SERIALIZATION]
        until = began[-1] if began else request.ended
    closed = [
        (at, session, place)
        for session in request.sessions
        if is_own(session)
        for at, place in session.closed
        if at >= request.began and (until is None or at <= until)
    ]
    if not closed:
        return None
    _, session, place = max(closed, key=lambda one: one[0])
    return session, place


def _finding(request: Request, failure: Failure, closed: tuple[Session, Place | None] | None) -> Finding:
    what = failure.attribute or "an expired attribute"
    reader = route(request) if request.endpoint_error is not None else f"the response of {route(request)}"
    evidence: tuple[Evidence, ...] = ()
    after = "after the session of its object was gone"
    if closed is not None:
        session, place = closed
        after = f"after {maker(session)} had been closed"
        evidence = (seen("it was closed here", place),) if place is not None else ()
    return Finding(
        rule=RULE,
        message=f"{what} was read for {reader} {after}, which ended in {failure.name}",
        site=where(failure.place, request),
        endpoint=endpoint(request),
        evidence=evidence,
        fix=_fix(failure.attribute),
        subject=failure.attribute,
        root=root_of(closed[0]) if closed is not None else None,
    )


def _fix(attribute: str) -> str:
    later = "or close the session later, in a dependency after its yield"
    if "." in attribute:
        return f"load it before the session is closed: .options(selectinload({attribute})); {later}"
    if attribute:
        return f"load {attribute} before the session is closed, with selectinload or session.refresh; {later}"
    return f"make the session with expire_on_commit=False, or refresh the object before it is closed; {later}"
