"""H501: an object that still shows what a bulk statement has changed in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.callsite import Place
from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, joined, maker, plural, route
from harness.observe.facts import Request, Session
from harness.observe.incidents import Staleness
from harness.observe.tape import Tape

RULE = Rule(
    code="H501",
    name="stale object after a bulk statement",
    severity=Severity.WARNING,
    what="A Core statement, or one with synchronize_session=False, changed rows whose objects were loaded, and the "
    "objects still showed the old values when the endpoint was done; proved by reading the rows again.",
    why="the endpoint decides and answers by values that the database no longer holds, and may write them back",
    fix="let the session know: leave out synchronize_session=False, or refresh the object after the statement",
    wrong="""
        item = db.get(Item, id)
        db.execute(
            update(Item).where(Item.id == id).values(stock=Item.stock - 1),
            execution_options={"synchronize_session": False},
        )
        return item
    """,
    right="""
        item = db.get(Item, id)
        db.execute(update(Item).where(Item.id == id).values(stock=Item.stock - 1))
        db.refresh(item)
        return item
    """,
    quiet=(
        "statements that changed other rows or other columns than those that are loaded",
        "objects that were refreshed, expired or committed before the endpoint was done",
        "synchronize_session=False where nothing is loaded, as in most bulk deletes",
        "an endpoint that failed",
        "objects that the test loaded into a session of its own",
    ),
)
SIGNS = signs.STALE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each bulk statement after which objects of one class were stale."""
    for request in tape.requests:
        if request.endpoint_error is not None:  # what it still showed, it showed to nobody
            continue
        for session in filter(is_own, request.sessions):
            found: dict[tuple[Place | None, str], list[Staleness]] = defaultdict(list)
            for stale in session.stale:
                if stale.request is request:
                    found[stale.place, stale.model].append(stale)
            for stale_objects in found.values():
                yield _finding(request, session, stale_objects)


def _finding(request: Request, session: Session, stale: list[Staleness]) -> Finding:
    first, number = stale[0], len(stale)
    names = list(dict.fromkeys(f"{one.model}.{name}" for one in stale for name in one.attributes))
    if names:
        shown = f"{joined(names)} of {plural(number, 'loaded object')} still had the old value"
    else:
        rows = "a deleted row" if number == 1 else "deleted rows"
        shown = f"{plural(number, f'loaded {first.model} object')} still stood for {rows}"
    return Finding(
        rule=RULE,
        message=f"{shown} when {route(request)} was done, after a bulk statement on {first.table}",
        site=where(first.place, request),
        endpoint=endpoint(request),
        fix=_fix(session, deleted=not names),
        subject=first.model,
        root=root_of(session),
    )


def _fix(session: Session, *, deleted: bool) -> str:
    if deleted:
        return f"let {maker(session)} know: leave out synchronize_session=False, or session.expunge(...) the object"
    refresh = "await session.refresh(...)" if session.asynchronous else "session.refresh(...)"
    return f"let {maker(session)} know: leave out synchronize_session=False, or {refresh} after the statement"
