"""H102: one session served several requests at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, joined, plural, route, seen
from harness.observe.facts import Request, Session, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H102",
    name="session shared by overlapping requests",
    severity=Severity.ERROR,
    what="One session was used by several requests that were under way at the same time.",
    why="a session is not safe for concurrent use: one request commits or rolls back the other's half-done work, and "
    "sees its objects",
    fix="make a session for each request in a dependency, and close it there: with SessionLocal() as db: yield db",
    wrong="""
        db = SessionLocal()

        @app.post("/items")
        async def create_item(item: ItemIn):
            db.add(Item(**item.model_dump()))
            db.commit()
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db

        @app.post("/items")
        def create_item(item: ItemIn, db: Session = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            db.commit()
    """,
    quiet=(
        "a session that a test made and put into the place of a dependency",
        "a scoped_session, which gives each request a session of its own",
        "requests that used the session one after the other: that is H101",
    ),
)
SIGNS = signs.SHARED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each of the application's sessions that overlapping requests used."""
    for session in tape.sessions:
        if is_own(session) and session.overlaps:
            yield _finding(session)


def _finding(session: Session) -> Finding:
    requests: dict[Request, None] = {}
    for first, second, _ in session.overlaps:
        requests.update({first: None, second: None})
    first, second, place = session.overlaps[0]
    number = len(requests)
    made = site(session.place)
    return Finding(
        rule=RULE,
        message=f"one {'AsyncSession' if session.asynchronous else 'session'} was used by "
        f"{plural(number, 'request')} at the same time: {joined(_told(requests))}",
        site=made or site(place),
        endpoint=endpoint(second),
        evidence=(
            *((seen("the session was made here", session.place),) if made is not None else ()),
            seen(f"{route(first)} used it", session.requests.get(first)),
            seen(f"{route(second)} used it while that was under way", place),
        ),
        root=root_of(session),
    )


def _told(requests: dict[Request, None]) -> list[str]:
    names = [route(request) for request in requests]
    distinct = list(dict.fromkeys(names))
    told = [f"{name} ×{names.count(name)}" if names.count(name) > 1 else name for name in distinct[:3]]
    return [*told, f"{len(distinct) - 3} more"] if len(distinct) > 3 else told
