"""Results made by hand, a piece at a time."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from harness.gate.record import Location, Observation, Record, RequestLine, Suppression
from harness.gate.results import Results

_RULES = {
    "H201": (
        "write never committed",
        "error",
        "in production the data is lost although the client was told that it was saved",
        "commit before the response: db.commit(), or await db.commit() with an AsyncSession",
    ),
    "H203": (
        "commit after the response",
        "warning",
        "a commit that fails is invisible to the client, and one who reads at once may get the old data",
        'let the dependency end before the response: Annotated[Session, Depends(get_db, scope="function")]',
    ),
    "H301": (
        "sync database call on the event loop",
        "error",
        "every other request of the process waits until the database has answered",
        "make the endpoint a plain def, or use an AsyncSession",
    ),
    "H305": (
        "async session expires on commit",
        "info",
        "touching an attribute after the commit needs a query that cannot be awaited",
        "async_sessionmaker(engine, expire_on_commit=False)",
    ),
    "H401": (
        "connection not returned",
        "error",
        "the pool runs empty, and then every request waits for pool_timeout and fails",
        "close the session in a finally block, or use it as a context manager",
    ),
    "H405": (
        "connection held during external call",
        "warning",
        "a slow partner empties the pool: each waiting request keeps its connection and its transaction",
        "call the service before the first query, or after the commit",
    ),
    "H502": (
        "one query per row in an endpoint",
        "warning",
        "the time grows with the number of rows, by one round trip each",
        "load it with its parents: select(Author).options(selectinload(Author.books))",
    ),
}


def place(text: str) -> Location:
    """Return the location that `app/items.py:18 create_item` writes."""
    where, _, function = text.rpartition(" ")
    path, _, line = where.rpartition(":")
    return Location(path, int(line), function or "<module>")


def record(
    code: str = "H201",
    message: str = "POST /items answered 201, and 1 INSERT into items was discarded when its session was closed",
    at: str | None = "app/items.py:18 create_item",
    *,
    request: tuple[str, str, int | None] | None = ("POST", "/items", 201),
    tests: tuple[str, ...] = ("tests/test_items.py::test_create",),
    evidence: tuple[tuple[str, str | None], ...] = (),
    suppressed: Suppression | None = None,
    graph: bool = False,
    count: int | None = None,
    **changes: Any,
) -> Record:
    """Return a finding; places are written `path:line function`."""
    name, severity, why, fix = _RULES[code]
    made = Record(
        code=code,
        name=name,
        severity=severity,
        message=message,
        why=why,
        fix=fix,
        fingerprint=hashlib.sha256(f"{code}{at}{message}".encode()).hexdigest()[:16],
        test=tests[0] if tests and not graph else None,
        tests=() if graph else tests,
        request=RequestLine(*request) if request else None,
        location=place(at) if at else None,
        evidence=tuple(Observation(text, place(where) if where else None) for text, where in evidence),
        count=count if count is not None else max(len(tests), 1),
        suppressed=suppressed,
        graph=graph,
    )
    return replace(made, **changes)


def results(*records: Record, root: str = "/nowhere", **changes: Any) -> Results:
    """Return the outcome of a run that found these."""
    numbers: dict[str, Any] = {"tests": 5, "requests": 9, "statements": 31} | changes
    return Results(version="0.2.0", databases=["sqlite"], root=root, records=list(records), **numbers)


# Timelines ------------------------------------------------------------------------------------------------------------


def statement(at: float, ms: float, text: str, where: str, **changes: Any) -> dict[str, Any]:
    """Return a statement of a timeline."""
    words = text.split()
    verb = words[0]
    table = words[words.index("FROM") + 1] if "FROM" in words else words[2] if verb == "INSERT" else words[1]
    link = {"INSERT": "INTO ", "SELECT": "FROM "}.get(verb, "")
    found = place(where)
    made: dict[str, Any] = {
        "at": at,
        "ms": ms,
        "text": text,
        "verb": verb,
        "table": table,
        "brief": f"{verb} {link}{table}",
        "path": found.path,
        "line": found.line,
        "function": found.function,
        "lane": 0,
        "phase": "endpoint",
        "write": verb != "SELECT",
        "undone": False,
        "blocking": False,
        "loaded": None,
    }
    return made | changes


def transaction(began: float, ended: float | None, outcome: str, **changes: Any) -> dict[str, Any]:
    """Return a transaction of a timeline."""
    made: dict[str, Any] = {
        "began": began,
        "ended": ended,
        "outcome": outcome,
        "lane": 0,
        "writes": 0,
        "path": "app/db.py",
        "line": 14,
        "after_response": False,
    }
    return made | changes


def request(
    line: str,
    status: int | None,
    phases: list[tuple[str, float]],
    took: float,
    statements: list[dict[str, Any]],
    transactions: list[dict[str, Any]],
    **changes: Any,
) -> dict[str, Any]:
    """Return a request of a timeline; each phase with its beginning."""
    method, route = line.split()
    ends = [*(began for _, began in phases[1:]), took]
    lanes = sorted({found["lane"] for found in [*statements, *transactions]})
    made: dict[str, Any] = {
        "method": method,
        "path": route,
        "route": route,
        "status": status,
        "error": None,
        "began": 0.0,
        "took": took,
        "answered": next((began for name, began in phases if name == "teardown"), None),
        "phases": [
            {"name": name, "began": began, "ended": ended} for (name, began), ended in zip(phases, ends, strict=True)
        ],
        "count": len(statements),
        "database_ms": round(sum(found["ms"] or 0 for found in statements), 3),
        "more": 0,
        "lanes": [
            {"driver": "postgresql+psycopg", "asynchronous": False, "began": 0.4, "ended": took - 0.1} for _ in lanes
        ],
        "statements": statements,
        "transactions": transactions,
        "more_transactions": 0,
        "calls": [],
    }
    return made | changes


def timeline(test: str, *requests: dict[str, Any], own: float = 1.4) -> dict[str, Any]:
    """Return the timeline of one test, which sent two statements of its own."""
    return {
        "test": test,
        "statements": sum(found["count"] for found in requests) + 2,
        "database_ms": round(sum(found["database_ms"] for found in requests) + own, 3),
        "outside": {"statements": 2, "database_ms": own},
        "more_requests": 0,
        "requests": list(requests),
    }
