"""H301: a synchronous database call on the event loop.

The root of the matter is the innermost `async def` that led to the call, whichever helper makes it, on whichever route
and with whatever statement first: so what the source shows and what tests met is one finding for that function. Where
no `async def` of the user's led there, as when a response model loads, the endpoint is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness.callsite import COROUTINE, is_users, site_of
from harness.detectors import signs
from harness.detectors.finding import Endpoint, Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Function
from harness.observe.facts import Origin, Phase, Request, Statement, Transaction, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H301",
    name="sync database call on the event loop",
    severity=Severity.ERROR,
    what="A synchronous session or connection is used on the event loop: in an async def, or in what it calls.",
    why=(
        "all other requests of the process wait for the database; with an empty pool the whole process stands still "
        "until pool_timeout"
    ),
    fix="make the function a def, so that FastAPI runs it in a thread; or use an AsyncSession; or await "
    "run_in_threadpool(...)",
    wrong="""
        @app.get("/items")
        async def read_items(db: Session = Depends(get_db)):
            return db.scalars(select(Item)).all()
    """,
    right="""
        @app.get("/items")
        def read_items(db: Session = Depends(get_db)):
            return db.scalars(select(Item)).all()
    """,
    quiet=(
        "run_in_threadpool, asyncio.to_thread and whatever else runs in a thread",
        "AsyncSession, also its run_sync",
        "a test or fixture that uses a synchronous session in an async def",
        "what runs in the lifespan, before and after all requests",
        "methods that send nothing, such as db.add",
    ),
    graph=True,
)
SIGNS = signs.BLOCKED

_OF_ENDPOINT = frozenset({Phase.ENDPOINT, Phase.SERIALIZATION, None})
_SHOWN = 3


@dataclass(slots=True)
class _Held:
    """What held the event loop for one reason."""

    statements: list[Statement] = field(default_factory=list)
    ends: list[Transaction] = field(default_factory=list)
    of_endpoint: bool = False


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for the endpoint, and for each other function, that held the event loop in a request."""
    for request in tape.requests:
        ends = (end for end in tape.transactions if end.ended_in is request and end.blocking)
        for held in _reasons(request, ends):
            yield _met(request, held)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each `async def` that calls a synchronous session in its own body."""
    routes = {endpoint.function: endpoint.routes for endpoint in graph.endpoints}
    for function in graph.functions():
        calls = [call for call in function.calls if not call.sort.asynchronous]
        if function.coroutine and calls:
            served = [str(route) for route in routes.get(function, ())[:1]]
            where = f" ({served[0]})" if served else ""
            noun = "call" if len(calls) == 1 else "calls"
            yield Finding(
                rule=RULE,
                message=(
                    f"async def {function.short}{where} makes {len(calls)} {noun} to a synchronous "
                    f"{calls[0].sort.value}, first {calls[0].session}.{calls[0].method}(...)"
                ),
                site=calls[0].site,
                evidence=tuple(Evidence(f"{call.session}.{call.method}(...)", call.site) for call in calls[:_SHOWN]),
                fix=_fix(function),
                graph=True,
            )


def _reasons(request: Request, ends: Iterable[Transaction]) -> list[_Held]:
    """Tell apart the functions that held the loop. The end of a transaction belongs to its calls."""
    found: dict[object, _Held] = {}
    for statement in request.statements:
        if statement.blocking:
            of_endpoint, holder = statement.phase in _OF_ENDPOINT, statement.holder
            # What its response model loads is the endpoint's as well.
            if of_endpoint and (holder is None or site_of(holder[0]) == request.endpoint):
                key: object = "endpoint"
            else:
                key = (holder or statement.place or (None,))[0]
            found.setdefault(key, _Held(of_endpoint=of_endpoint)).statements.append(statement)
    for end in ends:
        if found:
            next(iter(found.values())).ends.append(end)
        elif end.checkout.origin is not Origin.TEST and (end.session is None or end.session.origin is not Origin.TEST):
            # Only the close of a session, in an async def dependency of a def endpoint: not when it is a test's own.
            found[end] = _Held(ends=[end])
    return list(found.values())


def _met(request: Request, held: _Held) -> Finding:
    first = (held.statements[0].holder or held.statements[0].place) if held.statements else held.ends[0].end_place
    function = request.endpoint if _is_serializing(request, held) else site(first)
    is_root = first is not None and bool(first[0].co_flags & COROUTINE)
    route = f"{request.method} {request.route or request.path}"
    return Finding(
        rule=RULE,
        message=f"{_counted(held)} held the event loop in {route}",
        site=function,
        endpoint=Endpoint(request.method, request.route or request.path, request.status),
        evidence=tuple(
            Evidence(statement.shape.brief, site(statement.place)) for statement in held.statements[:_SHOWN]
        ),
        fix=_advice(request, function.function if is_root and function else None, held),
        subject=route if held.of_endpoint and not is_root else "",
    )


def _is_serializing(request: Request, held: _Held) -> bool:
    """Tell whether nothing but the response model of an endpoint of the user's held the loop, whatever line it read."""
    first = held.statements[0] if held.statements else None
    serializing = first is not None and first.holder is None and first.phase is Phase.SERIALIZATION
    return serializing and request.endpoint is not None and is_users(request.endpoint.path)


def _counted(held: _Held) -> str:
    """`3 statements and 1 end of a transaction (psycopg2, 14.0 ms)`."""
    parts = [_plural(len(held.statements), "statement"), _plural(len(held.ends), "COMMIT or ROLLBACK")]
    checkouts = [*(one.checkout for one in held.statements), *(one.checkout for one in held.ends)]
    drivers = dict.fromkeys(one.driver.rpartition("+")[2] for one in checkouts if one)
    spent = sum(statement.seconds or 0 for statement in held.statements) * 1000
    details = [*drivers, *([f"{spent:.1f} ms"] if held.statements else [])]
    return " and ".join(part for part in parts if part) + (f" ({', '.join(details)})" if details else "")


def _plural(count: int, noun: str) -> str:
    if not count:
        return ""
    return f"{count} {noun}" if count == 1 or noun.isupper() or " or " in noun else f"{count} {noun}s"


def _advice(request: Request, function: str | None, held: _Held) -> str:
    if function is None and held.of_endpoint and request.endpoint:
        function = request.endpoint.function
    if function is None:
        return ""
    return RULE.fix.replace("make the function a def", f"make {function} a def")


def _fix(function: Function) -> str:
    return RULE.fix.replace("make the function a def", f"make {function.short} a def")
