"""The JSON report, whose keys are a promise."""

from __future__ import annotations

import json

from harness.report.json_report import render
from tests.unit.report.made import record, results


def test_the_format_is_as_promised() -> None:
    """Every key, in its place."""
    found = record(evidence=(("INSERT INTO items", "app/items.py:17 create_item"), ("201 was sent", None)))

    assert {
        "schema": "harness-findings/1",
        "version": "0.2.0",
        "databases": ["sqlite"],
        "counts": {"tests": 5, "requests": 9, "statements": 31},
        "findings": [
            {
                "code": "H201",
                "name": "write never committed",
                "severity": "error",
                "message": found.message,
                "why": found.why,
                "fix": found.fix,
                "test": "tests/test_items.py::test_create",
                "request": {"method": "POST", "route": "/items", "status": 201},
                "location": {"path": "app/items.py", "line": 18, "function": "create_item"},
                "evidence": [
                    {"text": "INSERT INTO items", "path": "app/items.py", "line": 17},
                    {"text": "201 was sent", "path": None, "line": None},
                ],
                "count": 1,
                "fingerprint": found.fingerprint,
                "suppressed": None,
            }
        ],
    } == json.loads(render(results(found)))


def test_what_is_not_known_is_null() -> None:
    """Never left out."""
    (finding,) = json.loads(render(results(record(at=None, request=None, tests=(), suppressed="ini"))))["findings"]

    assert [None, None, None, "ini"] == [finding[key] for key in ("location", "request", "test", "suppressed")]


def test_the_order_depends_on_the_findings_only() -> None:
    """Two runs can be compared."""
    records = [record("H502", at="b.py:1 f"), record(at="b.py:1 f"), record(at="a.py:9 f"), record(at="a.py:2 f")]

    assert render(results(*records)) == render(results(*reversed(records)))
    assert ["a.py:2", "a.py:9", "b.py:1", "b.py:1"] == [
        "{path}:{line}".format(**finding["location"]) for finding in json.loads(render(results(*records)))["findings"]
    ]
