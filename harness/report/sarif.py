"""The findings as SARIF 2.1.0, which code hosts show beside the code.

Braces in messages are not doubled, although the standard has them so for messages with placeholders: these have none,
and code hosts show text as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from textwrap import dedent
from typing import Any
from urllib.parse import quote

from harness.detectors.rule import Rule
from harness.gate.record import Location, Record
from harness.gate.results import Results
from harness.report.markup import clean
from harness.report.order import by_rule, ordered
from harness.report.repository import is_outside, nearest_location, prefix

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What repository-relative paths are relative to.
BASE = "%SRCROOT%"
#: The key of our fingerprint; the number changes if `harness.gate.record.fingerprint` ever does.
FINGERPRINT = "harnessFinding/v1"

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def document(results: Results, rules: Iterable[Rule] = ()) -> dict[str, Any]:
    """Return the log as plain values.

    Args:
        results: of the whole run.
        rules: the manuals of the rules; a rule that is not among them is described by its findings.
    """
    manuals = {rule.code: rule for rule in rules}
    found = by_rule(results.records)
    codes = sorted(code for code, _ in found)
    first = {code: records[0] for code, records in found}
    folder = prefix(results.root)
    run = {
        "tool": {
            "driver": {
                "name": "pytest-fastapi-harness",
                "version": results.version,
                "rules": [_rule(first[code], manuals) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {BASE: {"description": {"text": "the root of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(record, codes.index(record.code), folder) for record in ordered(results.records)],
        "properties": {
            "databases": list(results.databases),
            "tests": results.tests,
            "requests": results.requests,
            "statements": results.statements,
        },
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def render(results: Results, rules: Iterable[Rule] = ()) -> str:
    """Return the file's text."""
    return json.dumps(document(results, rules), indent=2, ensure_ascii=False) + "\n"


def _rule(record: Record, manuals: Mapping[str, Rule]) -> dict[str, Any]:
    rule = manuals.get(record.code)
    what, why, fix = (rule.what, rule.why, rule.fix) if rule else (record.name, record.why, record.fix)
    severity = str(rule.severity) if rule else record.severity
    return {
        "id": record.code,
        "name": "".join(word.capitalize() for word in record.name.split()),
        "shortDescription": {"text": record.name},
        "fullDescription": {"text": what},
        "help": {
            "text": f"{what}\n\nwhy: {why}\nfix: {fix}\nmore: pytest --harness-explain {record.code}",
            "markdown": _help(what, why, fix, rule, record.code),
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _help(what: str, why: str, fix: str, rule: Rule | None, code: str) -> str:
    parts = [what, f"**Why:** {why}", f"**Fix:** {fix}"]
    if rule is not None:
        for title, source in (("Wrong", rule.wrong), ("Right", rule.right)):
            if text := dedent(source).strip():
                parts.append(f"**{title}**\n\n```python\n{text}\n```")
    return "\n\n".join([*parts, f"More: `pytest --harness-explain {code}`"])


def _result(record: Record, index: int, folder: str) -> dict[str, Any]:
    where = nearest_location(record)
    result: dict[str, Any] = {
        "ruleId": record.code,
        "ruleIndex": index,
        "level": _LEVELS[record.severity],
        "message": {"text": _message(record)},
        "locations": [_location(where, folder)] if where else [],
        "occurrenceCount": record.count,
        "partialFingerprints": {FINGERPRINT: record.fingerprint},
    }
    related = [
        {"id": number, **_location(piece.location, folder), "message": {"text": clean(piece.text)}}
        for number, piece in enumerate(record.evidence, 1)
        if piece.location is not None
    ]
    if related:
        result["relatedLocations"] = related
    if record.suppressed is not None:
        inside = record.suppressed in ("marker", "comment")
        result["suppressions"] = [
            {
                "kind": "inSource" if inside else "external",
                "status": "accepted",
                "justification": f"accepted by {record.suppressed}",
            }
        ]
    result["properties"] = _properties(record)
    return result


def _message(record: Record) -> str:
    seen = "".join(f"\nseen: {piece.text}" for piece in record.evidence if piece.location is None)
    return clean(f"{record.message}{seen}\nwhy: {record.why}\nfix: {record.fix}")


def _properties(record: Record) -> dict[str, Any]:
    told: dict[str, Any] = {"readInApplication": record.graph}
    if record.test is not None:
        told |= {"test": record.test, "tests": list(record.tests)}
    if record.request is not None:
        told["request"] = str(record.request)
    return told


def _location(location: Location, folder: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _artifact(location.path, folder),
            "region": {"startLine": max(location.line, 1)},
        }
    }
    if location.function:
        made["logicalLocations"] = [{"fullyQualifiedName": location.function, "kind": "function"}]
    return made


def _artifact(path: str, folder: str) -> dict[str, str]:
    if is_outside(path):
        return {"uri": "file://" + quote(path if path.startswith("/") else f"/{path}")}
    return {"uri": quote(folder + path), "uriBaseId": BASE}
