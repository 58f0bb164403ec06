"""H204: a commit that failed when the client had already been told of success."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import is_own, root_of, transactions_of, was_background, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, maker, plural, route, seen, statements, was
from harness.observe.facts import Failure, Outcome, Request, Statement, Transaction
from harness.observe.tape import Tape

RULE = Rule(
    code="H204",
    name="commit failed after a success response",
    severity=Severity.ERROR,
    what="The client was answered with success, then the commit failed: the code after a dependency's yield commits, "
    "and runs when the response is out.",
    why="the client believes that its data is saved; it is not, and nothing can tell the client any more",
    fix="commit before the response is sent: inside the endpoint, or in a dependency that ends before it",
    wrong="""
        def get_db():
            with SessionLocal() as db:
                yield db
                db.commit()      # a duplicate is answered 201, then this raises IntegrityError

        Database = Annotated[Session, Depends(get_db)]
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db
                db.commit()      # runs before the response: a duplicate is answered 500

        Database = Annotated[Session, Depends(get_db, scope="function")]
    """,
    quiet=(
        "a commit that failed before the response began",
        "a background task's own session, and a session that a streaming response opens for itself",
        "a request that was answered with 400 or above",
    ),
)
SIGNS = signs.LOST


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each commit that failed after its request was answered with success."""
    for request in tape.requests:
        if request.answering is None or request.status is None or request.status >= 400:
            continue
        for transaction in transactions_of(request):
            if _failed_late(transaction, request):
                yield _finding(request, transaction, versions)


def _failed_late(transaction: Transaction, request: Request) -> bool:
    answering = request.answering
    if transaction.committing is None or answering is None or transaction.committing < answering:
        return False
    if transaction.outcome is Outcome.COMMITTED or was_background(transaction):
        return False
    session = transaction.session
    if session is None:
        begun_for_it = transaction.checkout.request is request and transaction.checkout.at < answering
        return begun_for_it and is_own(transaction.checkout) and bool(_tried(transaction, request))
    return (
        is_own(session)
        and session.request is request
        and not session.after_response
        and bool(_tried(transaction, request))
    )


def _tried(transaction: Transaction, request: Request) -> list[Statement]:
    """Return what should have changed rows, also where the statement itself failed."""
    return [
        sent
        for sent in transaction.statements
        if sent.request is request
        and not sent.undone
        and (sent.write or (sent.seconds is None and sent.shape.changes_rows))
    ]


def _finding(request: Request, transaction: Transaction, versions: Versions) -> Finding:
    tried = _tried(transaction, request)
    failure = _failure(request, transaction)
    with_what = f" with {failure.name}" if failure is not None else ""
    session = transaction.session
    late = [sent.place for sent in tried if sent.seconds is None]  # the flush of the commit itself
    committed = (failure.place if failure is not None else None) or next(iter(late), None) or transaction.end_place
    made = session.place if session is not None else transaction.checkout.place
    whose = maker(session) if session is not None else "the connection"
    begun: tuple[Evidence, ...] = (seen(f"{whose} was made here", made),) if made is not None else ()
    return Finding(
        rule=RULE,
        message=f"{route(request)} was answered {request.status}, then its commit failed{with_what}: "
        f"{plural(len(tried), 'write')} ({statements(tried)}) {was(len(tried))} lost",
        site=where(committed or made, request),
        endpoint=endpoint(request),
        evidence=(*each(tried, "{} was sent here"), *begun),
        fix=_fix(versions),
        subject=tried[0].shape.table,
        root=root_of(session if session is not None else transaction.checkout),
    )


def _failure(request: Request, transaction: Transaction) -> Failure | None:
    if request.error is not None and request.error.database:
        return request.error
    return transaction.failed


def _fix(versions: Versions) -> str:
    if versions.has_scope:
        return 'let the dependency end before the response: Depends(..., scope="function"), or commit in the endpoint'
    if versions.exits_after_response:
        return "commit in the endpoint: this FastAPI runs code after a dependency's yield when the response is out"
    return RULE.fix
