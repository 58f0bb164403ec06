"""H205: what a failed request had done so far is committed.

Both layers name the commit in the function where it stands, and have no subject.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import CallSite
from harness.detectors import signs
from harness.detectors.finding import Endpoint, Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph
from harness.observe.facts import Origin, Outcome, Request, Statement, Transaction, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H205",
    name="commit although the request failed",
    severity=Severity.ERROR,
    what="The endpoint raised, and what it had written until then was committed: mostly by a commit in `finally`.",
    why="the client is told that it failed and tries again, while half of the work is stored already",
    fix="commit at the end of the endpoint, and let the dependency only close the session, which rolls back",
    wrong="""
        def get_db():
            db = SessionLocal()
            try:
                yield db
            finally:
                db.commit()
                db.close()
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db
    """,
    quiet=(
        "a commit before the exception, as of an audit record or a lock-out",
        "a session that an exception handler opened for itself, and what was written after a rollback",
        "an exception that is no failure: answered below 400",
        "a finally whose try rolls back on every exception",
    ),
    graph=True,
)
SIGNS = signs.FAILED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request that failed and whose writes were committed after that."""
    for transaction in tape.transactions:
        request = transaction.request
        if request is not None and _failed(request):
            writes = _kept(transaction, request)
            if writes:
                yield _met(transaction, request, writes)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each dependency that commits also when the endpoint raised."""
    told: set[CallSite] = set()
    for dependency in graph.dependencies:
        for commit in dependency.function.commits if dependency.function else ():
            if commit.after_error and commit.site not in told:
                told.add(commit.site)
                yield Finding(
                    rule=RULE,
                    message=f"{dependency.short} commits in its finally, so also when the endpoint raised",
                    site=commit.site,
                    evidence=(Evidence(f"{dependency.short} is the dependency", dependency.site),),
                    graph=True,
                )


def _failed(request: Request) -> bool:
    error = request.endpoint_error
    if error is None or (error.http is not None and error.http < 400):
        return False
    return request.status is None or request.status >= 400


def _kept(transaction: Transaction, request: Request) -> list[Statement]:
    """Return what was written before the endpoint raised and committed afterwards, by a session that it had then."""
    session, raised = transaction.session, request.endpoint_error_at
    if (
        session is None
        or raised is None
        or session.origin is not Origin.APPLICATION
        or session.request is not request
        or session.born > raised
        or transaction.outcome is not Outcome.COMMITTED
        or transaction.committing is None
        or transaction.committing < raised
    ):
        return []
    return [statement for statement in transaction.writes if statement.at < raised]


def _met(transaction: Transaction, request: Request, writes: list[Statement]) -> Finding:
    error = request.endpoint_error
    named = ", ".join(dict.fromkeys(statement.shape.brief for statement in writes))
    noun = "write" if len(writes) == 1 else "writes"
    return Finding(
        rule=RULE,
        message=(
            f"{request.method} {request.route or request.path} raised {error.name if error else 'an exception'}, and "
            f"{len(writes)} {noun} of it ({named}) {'was' if len(writes) == 1 else 'were'} committed all the same"
        ),
        site=site(transaction.end_place),
        root=id(transaction.session),
        endpoint=Endpoint(request.method, request.route or request.path, request.status),
        evidence=(
            *(Evidence(statement.shape.brief, site(statement.place)) for statement in writes[:3]),
            *([Evidence(f"{error.name} was raised", site(error.place))] if error else ()),
        ),
    )
