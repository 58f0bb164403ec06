"""H302: what MissingGreenlet does not say: which attribute, on which line, and what would have loaded it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, route, seen
from harness.observe.facts import Failure, Origin, Outcome, Phase, Request
from harness.observe.incidents import LazyLoad
from harness.observe.tape import Tape

RULE = Rule(
    code="H302",
    name="implicit I/O in async code",
    severity=Severity.ERROR,
    what="An attribute of an object of an AsyncSession was touched before it was loaded, so the request failed with "
    "MissingGreenlet.",
    why="the request fails wherever the attribute happens not to be loaded, and SQLAlchemy names neither the attribute "
    "nor the line",
    fix="load it in the query, with .options(selectinload(...)), or await session.refresh(...) before it is touched",
    wrong="""
        @app.get("/authors/{id}")
        async def count_books(id: int, db: AsyncSession = Depends(get_db)):
            author = await db.get(Author, id)
            return len(author.books)
    """,
    right="""
        @app.get("/authors/{id}")
        async def count_books(id: int, db: AsyncSession = Depends(get_db)):
            author = await db.get(Author, id, options=[selectinload(Author.books)])
            return len(author.books)
    """,
    quiet=(
        "loads inside run_sync, and awaitable_attrs",
        'lazy="raise", which fails on purpose',
        "an object that expired because a test put a session that expires on commit in the place of the application's",
    ),
)
SIGNS = signs.FAILED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request that failed because something had to be loaded outside of an `await`."""
    for request in tape.requests:
        failure = next((error for error in (request.endpoint_error, request.error) if error and error.greenlet), None)
        if failure is not None and not _made_by_the_test(request):
            yield _finding(request, failure, _culprit(request))


def _made_by_the_test(request: Request) -> bool:
    """Tell whether objects may have expired only because a test's own session expires them on commit."""
    return bool(request.sessions) and all(
        session.origin is Origin.TEST
        and session.expires_on_commit
        and any(transaction.outcome is Outcome.COMMITTED for transaction in session.transactions)
        for session in request.sessions
    )


def _culprit(request: Request) -> LazyLoad | None:
    """Return the last load, if its statement was never sent or never came back."""
    if not request.loads:
        return None
    last = request.loads[-1]
    sent = next((statement for statement in request.statements if statement.loaded is last), None)
    return last if sent is None or sent.seconds is None else None


def _finding(request: Request, failure: Failure, load: LazyLoad | None) -> Finding:
    attribute = _attribute(failure, load)
    place = load.place if load is not None and load.place is not None else failure.place
    by = "the response model of " if request.endpoint_error is None and _was_serializing(load) else ""
    expired = load is not None and load.column and _has_expired(request, load)
    evidence: tuple[Evidence, ...] = ()
    if failure.place is not None and failure.place != place:
        evidence = (seen(f"{failure.name} came through here", failure.place),)
    return Finding(
        rule=RULE,
        message=f"{_told(attribute, load, expired, f'{by}{route(request)}')} outside of an await, which ended in "
        f"{failure.name}",
        site=where(place, request),
        endpoint=endpoint(request),
        evidence=evidence,
        fix=_fix(attribute, load, expired),
        subject=attribute,
    )


def _told(attribute: str, load: LazyLoad | None, expired: bool, reader: str) -> str:
    if not attribute:
        return f"{reader} sent a query"
    if load is None or not load.column:
        state = "was not loaded"
    elif expired:
        state = "had been expired by a commit"
    else:
        state = "was deferred"
    return f"{attribute} {state} when {reader} touched it"


def _was_serializing(load: LazyLoad | None) -> bool:
    return load is not None and load.phase is Phase.SERIALIZATION


def _has_expired(request: Request, load: LazyLoad) -> bool:
    """Tell whether a commit of the request has expired what its sessions had loaded."""
    return any(
        transaction.outcome is Outcome.COMMITTED and session.expires_on_commit and (transaction.ended or 0.0) <= load.at
        for session in request.sessions
        for transaction in session.transactions
    )


def _attribute(failure: Failure, load: LazyLoad | None) -> str:
    if load is None:
        return failure.attribute
    if not load.column:
        return load.attribute
    # Of a column only the class is known; FastAPI may have named the field.
    name = failure.attribute.rpartition(".")[2]
    return f"{load.attribute}.{name}" if name and load.attribute else load.attribute


def _fix(attribute: str, load: LazyLoad | None, expired: bool) -> str:
    model, _, name = attribute.partition(".")
    if not model:
        return "use the methods of AsyncSession and AsyncConnection, and await them"
    if load is None:
        return ""
    names = f', ["{name}"]' if name else ""
    refresh = f"await session.refresh({_variable(model)}{names})"
    if not load.column:
        return f"load it in the query: .options(selectinload({attribute})); or {refresh} before it is touched"
    if expired:
        return f"{refresh} after the commit, or make sessions with async_sessionmaker(..., expire_on_commit=False)"
    return f"load it in the query: .options(undefer({attribute if name else '...'})); or {refresh} before it is touched"


def _variable(model: str) -> str:
    """`OrderLine` is called `order_line`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
