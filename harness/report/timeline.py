"""What happened in a test, in milliseconds: a tape as plain values that survive JSON and fit on a page.

A timeline is made when its test ends, so that the tape can be let go. Its size is bounded; what is left out is counted.

    {"test": node id, "statements": 12, "database_ms": 8.1,
     "outside": {"statements": 4, "database_ms": 1.2},          # the test's own, in no request
     "more_requests": 0,
     "requests": [{
        "method", "path", "route", "status", "error": "IntegrityError" | None,
        "began": ms since the test's first fact, "took": ms,
        "answered": ms since the request began | None,
        "phases": [{"name", "began", "ended"}],
        "count": 5, "database_ms": 6.9, "more": 0,
        "lanes": [{"driver", "asynchronous", "began", "ended"}],
        "statements": [{"at", "ms", "text", "verb", "table", "brief", "path", "line", "function", "lane", "phase",
                        "write", "undone", "blocking", "loaded"}],
        "transactions": [{"began", "ended", "outcome", "lane", "writes", "path", "line", "after_response"}],
        "more_transactions": 0,
        "calls": [{"at", "library", "target", "path", "line", "held"}]}]}

Inside a request, times count from its beginning; they are negative for what began before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.callsite import Place, site_of
from harness.observe.facts import Checkout, Request, Statement, Transaction
from harness.observe.incidents import ExternalCall
from harness.observe.tape import Tape

#: How much of one test is kept.
REQUESTS = 40
#: How much of one request is kept.
STATEMENTS = 200
TRANSACTIONS = 40
CALLS = 40
#: How many characters of a statement, a path or a route are kept.
TEXT = 1200


def timeline_of(tape: Tape, root: Path) -> dict[str, Any]:
    """Return the timeline of one test.

    Args:
        tape: of a test that has ended.
        root: the project's directory; paths below it are told relative to it.
    """
    teller = _Teller(tape, root)
    within = [statement for request in tape.requests for statement in request.statements]
    return {
        "test": tape.test,
        "statements": tape.statements,
        "database_ms": _ms(tape.seconds),
        "outside": {
            "statements": max(tape.statements - len(within), 0),
            "database_ms": max(round(_ms(tape.seconds) - _database(within), 3), 0.0),
        },
        "more_requests": max(len(tape.requests) - REQUESTS, 0),
        "requests": [teller.request(request) for request in tape.requests[:REQUESTS]],
    }


class _Teller:
    """Tells the requests of one tape."""

    def __init__(self, tape: Tape, root: Path) -> None:
        self._tape = tape
        self._root = str(root)
        self._begin, self._end = _span(tape)

    def request(self, request: Request) -> dict[str, Any]:
        """Return one request."""
        zero, end = request.began, self._ended(request)
        transactions = [found for found in self._tape.transactions if request in (found.request, found.ended_in)]
        lanes = _lanes(request, transactions)
        numbers = {id(checkout): number for number, checkout in enumerate(lanes)}
        return {
            "method": request.method,
            "path": request.path[:TEXT],
            "route": (request.route or request.path)[:TEXT],
            "status": request.status,
            "error": request.error.name if request.error is not None else None,
            "began": _ms(zero - self._begin),
            "took": _ms(end - zero),
            "answered": _since(request.answered if request.answered is not None else request.answering, zero),
            "phases": _phases(request, zero, end),
            "count": len(request.statements),
            "database_ms": _database(request.statements),
            "more": max(len(request.statements) - STATEMENTS, 0),
            "lanes": [
                {
                    "driver": lane.driver,
                    "asynchronous": lane.asynchronous,
                    "began": _ms(lane.at - zero),
                    "ended": _since(lane.returned, zero),
                }
                for lane in lanes
            ],
            "statements": [self._statement(found, zero, numbers) for found in request.statements[:STATEMENTS]],
            "transactions": [self._transaction(found, request, numbers) for found in transactions[:TRANSACTIONS]],
            "more_transactions": max(len(transactions) - TRANSACTIONS, 0),
            "calls": [self._call(found, zero) for found in request.calls[:CALLS]],
        }

    def _statement(self, statement: Statement, zero: float, lanes: dict[int, int]) -> dict[str, Any]:
        shape = statement.shape
        return {
            "at": _ms(statement.at - zero),
            "ms": _ms(statement.seconds) if statement.seconds is not None else None,
            "text": _cut(shape.text),
            "verb": shape.verb,
            "table": shape.table[:TEXT],
            "brief": shape.brief[:TEXT],
            **self._place(statement.place),
            "lane": lanes.get(id(statement.checkout)),
            "phase": statement.phase.value if statement.phase is not None else None,
            "write": statement.write,
            "undone": statement.undone,
            "blocking": statement.blocking,
            "loaded": statement.loaded.attribute if statement.loaded is not None else None,
        }

    def _transaction(self, found: Transaction, request: Request, lanes: dict[int, int]) -> dict[str, Any]:
        zero, ended = request.began, found.ended
        place = self._place(found.end_place or found.place)
        return {
            "began": _ms(found.began - zero),
            "ended": _since(ended, zero),
            "outcome": found.outcome.value,
            "lane": lanes.get(id(found.checkout)),
            "writes": len(found.writes),
            "path": place["path"],
            "line": place["line"],
            # Background work that begins and commits after the response is meant to.
            "after_response": bool(found.writes)
            and ended is not None
            and request.answered is not None
            and found.began <= request.answered < ended,
        }

    def _call(self, call: ExternalCall, zero: float) -> dict[str, Any]:
        place = self._place(call.place)
        return {
            "at": _ms(call.at - zero),
            "library": call.library,
            "target": call.target[:TEXT],
            "path": place["path"],
            "line": place["line"],
            "held": len(call.held),
        }

    def _place(self, place: Place | None) -> dict[str, Any]:
        if place is None:
            return {"path": None, "line": None, "function": None}
        site = site_of(*place)
        path = os.path.relpath(site.path, self._root)
        shown = site.path if path.startswith("..") else path
        return {"path": shown.replace(os.sep, "/"), "line": site.line, "function": site.function}

    def _ended(self, request: Request) -> float:
        """Return when a request ended; one that never did lasts until the last thing known of the test."""
        return request.ended if request.ended is not None else max(self._end, request.began)


def _span(tape: Tape) -> tuple[float, float]:
    """Return the first and the last moment on a tape."""
    moments = [request.began for request in tape.requests]
    moments += [request.ended for request in tape.requests if request.ended is not None]
    moments += [
        moment
        for request in tape.requests
        for statement in request.statements
        for moment in (statement.at, statement.at + (statement.seconds or 0.0))
    ]
    moments += [transaction.ended for transaction in tape.transactions if transaction.ended is not None]
    return (min(moments), max(moments)) if moments else (0.0, 0.0)


def _lanes(request: Request, transactions: Sequence[Transaction]) -> list[Checkout]:
    """Return the connections that a request used, in order of their checkout, each once."""
    found = [*request.checkouts, *(transaction.checkout for transaction in transactions)]
    found += [statement.checkout for statement in request.statements if statement.checkout is not None]
    return sorted({id(checkout): checkout for checkout in found}.values(), key=lambda checkout: checkout.at)


def _phases(request: Request, zero: float, end: float) -> list[dict[str, Any]]:
    """Return each phase with its beginning and its end, which is the next one's beginning."""
    begins = [began for _, began in request.phases]
    return [
        {"name": phase.value, "began": _ms(began - zero), "ended": _ms(max(ended, began) - zero)}
        for (phase, began), ended in zip(request.phases, [*begins[1:], end], strict=False)
    ]


def _database(statements: Iterable[Statement]) -> float:
    return _ms(sum(statement.seconds or 0.0 for statement in statements))


def _since(moment: float | None, zero: float) -> float | None:
    return _ms(moment - zero) if moment is not None else None


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]} … ({len(text) - TEXT} characters more)"
