"""H202: attributes that were changed and never committed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, root_of
from harness.detectors.rule import Rule, Severity
from harness.detectors.transactions.losses import lost
from harness.detectors.versions import Versions
from harness.detectors.wording import commit_call, endpoint, listing, maker, plural, seen, was
from harness.observe.facts import Outcome, Request, Session
from harness.observe.incidents import Unflushed
from harness.observe.tape import Tape

RULE = Rule(
    code="H202",
    name="changed attributes never committed",
    severity=Severity.WARNING,
    what="A request that went well changed attributes of loaded objects, and closed their session without a commit.",
    why="the response shows the new values and the database keeps the old ones",
    fix="commit the change; if it is meant for the response only, change a copy or use a response model",
    wrong="""
        @app.patch("/users/{id}")
        def rename(id: int, name: str, db: Session = Depends(get_db)):
            user = db.get(User, id)
            user.name = name
            return user
    """,
    right="""
        @app.patch("/users/{id}")
        def rename(id: int, name: str, db: Session = Depends(get_db)):
            user = db.get(User, id)
            user.name = name
            db.commit()
            return user
    """,
    quiet=(
        "a change that a later flush or commit has taken along, or a rollback has taken back",
        "only a remark (info) where it is probably meant: in a GET, or after the request's own commit, as when a "
        "password is blanked for the response",
        "a test's own session: whose change it holds cannot be told",
    ),
)
SIGNS = signs.LOST


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session that was closed while it held nothing but changed attributes."""
    for request in finished(tape.requests):
        for session in request.sessions if request.ok else ():
            loss = lost(request, session)
            if loss.changed and not loss.writes and not loss.unsent:
                yield _finding(request, session, loss.changed)


def _finding(request: Request, session: Session, changed: list[Unflushed]) -> Finding:
    names = [f"{work.model}.{name}" for work in changed for name in work.attributes]
    meant = request.method in ("GET", "HEAD", "OPTIONS") or _committed_before(session, request)
    made = (seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()
    closed = session.closed[-1][1] if session.closed else None
    ended = (seen("it was closed here, without a commit", closed),) if closed is not None else ()
    return Finding(
        rule=RULE,
        message=f"{plural(len(names), 'changed attribute')} ({listing(names)}) of {request} "
        f"{was(len(names))} never committed",
        site=request.endpoint,
        endpoint=endpoint(request),
        evidence=(*made, *ended),
        fix=f"{commit_call(session.asynchronous)} after the change; "
        "if it is meant for the response only, change a copy or use a response model",
        subject=changed[0].model,
        level=Severity.INFO if meant else None,
        root=root_of(session),
    )


def _committed_before(session: Session, request: Request) -> bool:
    return any(
        transaction.outcome is Outcome.COMMITTED and transaction.request is request
        for transaction in session.transactions
    )
