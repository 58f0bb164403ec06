"""The findings as JSON. Keys and nesting are a promise: `harness-findings/1`."""

from __future__ import annotations

import json
from typing import Any

from harness.gate.record import Location, Record
from harness.gate.results import Results
from harness.report.order import ordered

SCHEMA = "harness-findings/1"


def document(results: Results) -> dict[str, Any]:
    """Return the report as plain values, in an order that depends on the findings only."""
    found = {
        "schema": SCHEMA,
        "version": results.version,
        "databases": list(results.databases),
        "counts": {"tests": results.tests, "requests": results.requests, "statements": results.statements},
        "findings": [_finding(record) for record in ordered(results.records)],
    }
    # Only where there is something to compare: the promise is kept for everybody else's readers.
    return found if results.comparison is None else {**found, "comparison": results.comparison}


def render(results: Results) -> str:
    """Return the file's text."""
    return json.dumps(document(results), indent=2, ensure_ascii=False) + "\n"


def _finding(record: Record) -> dict[str, Any]:
    request = record.request
    return {
        "code": record.code,
        "name": record.name,
        "severity": record.severity,
        "message": record.message,
        "why": record.why,
        "fix": record.fix,
        "test": record.test,
        "request": {"method": request.method, "route": request.route, "status": request.status} if request else None,
        "location": _location(record.location),
        "evidence": [
            {
                "text": piece.text,
                "path": piece.location.path if piece.location else None,
                "line": piece.location.line if piece.location else None,
            }
            for piece in record.evidence
        ],
        "count": record.count,
        "fingerprint": record.fingerprint,
        "suppressed": record.suppressed,
    }


def _location(location: Location | None) -> dict[str, Any] | None:
    return {"path": location.path, "line": location.line, "function": location.function} if location else None
