"""H101: one session serves several requests.

Both layers name the line that makes the session, and the kind of session as the subject, so a global session found in
the source and met in a test is one finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.callsite import CallSite
from harness.detectors import signs
from harness.detectors.finding import Endpoint, Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Function, SharedSession
from harness.observe.facts import Origin, Session, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H101",
    name="session shared by requests",
    severity=Severity.ERROR,
    what="One session, made outside of any request or kept by one, is used by several requests.",
    why=(
        "what one request has not committed the next one sees, commits or rolls back; after one failed flush every "
        "request fails, and its connection never returns to the pool"
    ),
    fix="make a session for each request in a dependency, and close it there: with SessionLocal() as db: yield db",
    wrong="""
        db = SessionLocal()

        @app.get("/items")
        def read_items():
            return db.scalars(select(Item)).all()
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db

        @app.get("/items")
        def read_items(db: Session = Depends(get_db)):
            return db.scalars(select(Item)).all()
    """,
    quiet=(
        "a session that a test made and put into the place of a dependency",
        "a scoped_session, which finds a session for each thread or task",
        "factories, whatever they are called",
        "a session that overlapping requests share: that is H102",
    ),
    graph=True,
)
SIGNS = signs.SHARED

_SHOWN = 3


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each of the application's own sessions that a second request used."""
    for session in tape.sessions:
        if session.origin is Origin.APPLICATION and len(session.requests) > 1 and not session.overlaps:
            yield _met(session)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session that outlives requests and that a dependency or an endpoint uses."""
    users: dict[CallSite, list[tuple[Function, SharedSession]]] = defaultdict(list)
    for function in graph.functions():
        for shared in function.shared:
            users[shared.made or shared.used].append((function, shared))
    for made, uses in users.items():
        function, shared = uses[0]
        more = f" and {len(uses) - 1} more" if len(uses) > 1 else ""
        yield Finding(
            rule=RULE,
            message=f"one {shared.sort.value}, {shared.name}, serves every request of {function.short}{more}",
            site=made,
            evidence=tuple(
                Evidence(f"{user.short} uses it as {use.name}", use.used)
                for user, use in uses[:_SHOWN]
                if use.used != made
            ),
            subject=shared.sort.value,
            graph=True,
        )


def _met(session: Session) -> Finding:
    requests = list(session.requests.items())
    first, last = requests[0][0], requests[-1][0]
    kind = "AsyncSession" if session.asynchronous else "Session"
    return Finding(
        rule=RULE,
        message=f"one {kind} served {len(requests)} requests, from {first} to {last}",
        site=site(session.place) or site(requests[0][1]),
        endpoint=Endpoint(last.method, last.route or last.path, last.status),
        evidence=tuple(Evidence(f"{request} used it", site(place)) for request, place in requests[:_SHOWN]),
        subject=kind,
        root=id(session),
    )
