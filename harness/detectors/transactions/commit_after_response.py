"""H203: a dependency commits after the response was sent.

Both layers name the commit, or the block that commits at its end, in the function where it stands, and have no subject:
so what the source shows and what a test met is one finding, and two dependencies with one helper are one as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR

from harness.callsite import CallSite, Place
from harness.detectors import signs
from harness.detectors.finding import Endpoint, Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency, ExitCommit, Route
from harness.observe.facts import Origin, Outcome, Phase, Request, Transaction, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H203",
    name="commit after the response",
    severity=Severity.WARNING,
    what="A dependency commits after its yield, and FastAPI runs that code when the response has been sent.",
    why=(
        "the client is told that it is saved before it is: reading back at once finds nothing, and if the commit "
        "fails, nobody is told"
    ),
    fix="commit in the endpoint, before it returns",
    wrong="""
        def get_db():
            with SessionLocal() as db:
                yield db
                db.commit()
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db

        @app.post("/items", status_code=201)
        def create_item(item: ItemIn, db: Session = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            db.commit()
            return {"ok": True}
    """,
    quiet=(
        'Depends(get_db, scope="function"), whose exit runs before the response',
        "FastAPI 0.106 to 0.117, which ran the exit before the response",
        "requests that wrote nothing, and dependencies of routes that only read",
        "a background task, or a streamed body, that commits a session of its own",
        "a commit that also runs when the endpoint failed: that is H205",
    ),
    graph=True,
)
SIGNS = signs.COMMITTED_LATE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request whose writes were committed after its response."""
    for transaction in tape.transactions:
        request = transaction.ended_in
        if request is not None and _is_late(transaction, request):
            yield _met(transaction, request, versions)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each dependency of a writing route that commits in its exit."""
    if not versions.exits_after_response:
        return
    told: set[CallSite] = set()
    for dependency in graph.dependencies:
        routes = _routes(dependency)
        for commit in dependency.function.commits if dependency.function and routes else ():
            if not commit.after_error and commit.site not in told:
                told.add(commit.site)
                yield _read(dependency, commit, routes, versions)


def _is_late(transaction: Transaction, request: Request) -> bool:
    """Tell whether a session that the request had before its response was committed after it, by a dependency."""
    session = transaction.session
    return (
        session is not None
        and session.origin is Origin.APPLICATION
        and session.request is request
        and not session.after_response
        and session.phase is not Phase.BACKGROUND
        and transaction.outcome is Outcome.COMMITTED
        and transaction.ended_phase is not Phase.BACKGROUND
        and transaction.committing is not None
        and request.answered is not None
        and transaction.committing >= request.answered
        and (request.ended is None or transaction.committing <= request.ended)
        and request.endpoint_error is None
        and bool(transaction.writes)
    )


def _met(transaction: Transaction, request: Request, versions: Versions) -> Finding:
    writes = Counter(statement.shape.brief for statement in transaction.writes)
    named = ", ".join(f"{count} × {brief}" if count > 1 else brief for brief, count in writes.items())
    late = (transaction.committing or 0) - (request.answered or 0)
    return Finding(
        rule=RULE,
        message=(
            f"{request.method} {request.route or request.path} answered {request.status}, and {named} was committed "
            f"{late * 1000:.1f} ms after the response was sent"
        ),
        site=site(transaction.end_place),
        root=id(transaction.session),
        endpoint=Endpoint(request.method, request.route or request.path, request.status),
        evidence=tuple(Evidence(statement.shape.brief, site(statement.place)) for statement in transaction.writes[:3]),
        fix=_fix(_dependency(transaction.end_place), versions),
    )


def _dependency(place: Place | None) -> str:
    """Return the name of the dependency that committed; `...` if its exit has called something that did."""
    code = place[0] if place is not None else None
    if code is None or not code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR) or code.co_name == "__call__":
        return "..."
    return code.co_name


def _read(dependency: Dependency, commit: ExitCommit, routes: list[Route], versions: Versions) -> Finding:
    how = "ends a transaction block around its yield" if commit.block else "commits after its yield"
    serves = f"{len(routes)} writing routes" if len(routes) > 1 else "one writing route"
    return Finding(
        rule=RULE,
        message=f"{dependency.short} {how}, which is after the response, on {serves} ({_some(routes)})",
        site=commit.site,
        evidence=(Evidence(f"{dependency.short} is the dependency", dependency.site),),
        fix=_fix(dependency.short, versions),
        graph=True,
    )


def _routes(dependency: Dependency) -> list[Route]:
    """Return the writing routes on which the exit runs after the response."""
    found = [route for use in dependency.uses if use.scope != "function" for route in use.routes if route.writes]
    return list(dict.fromkeys(found))


def _some(routes: list[Route]) -> str:
    return ", ".join(map(str, routes[:2])) + (", …" if len(routes) > 2 else "")


def _fix(dependency: str, versions: Versions) -> str:
    if not versions.has_scope:
        return f'{RULE.fix}; Depends(..., scope="function") would need FastAPI 0.121'
    return f'use Depends({dependency}, scope="function"), whose exit runs before the response, or {RULE.fix}'
