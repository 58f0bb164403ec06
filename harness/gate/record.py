"""A finding as it is told, stored and sent between processes: plain values only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.callsite import CallSite
from harness.detectors.finding import Finding

#: How a finding was accepted: by `@pytest.mark.harness(allow=…)`, a comment, an ini pattern, or the baseline file.
Suppression = Literal["marker", "comment", "ini", "baseline"]


@dataclass(frozen=True, slots=True)
class Location:
    """A line of the user's code; `path` is relative to the project's root, with forward slashes, if it is below it."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Observation:
    """One piece of evidence."""

    text: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The request in which a finding arose."""

    method: str
    route: str
    status: int | None

    def __str__(self) -> str:
        status = f" → {self.status}" if self.status is not None else ""
        return f"{self.method} {self.route}{status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finding, merged over all tests in which it arose.

    Attributes:
        severity: `error`, `warning` or `info`.
        test: node id of the first test in which it arose; None if it was read in the application's source.
        tests: node ids of all of them.
        count: how often it arose.
        fingerprint: 16 hex digits that survive moved lines: code, file, function and subject.
        suppressed: how it was accepted; None if it was not, and counts.
        graph: whether it was read in the application's dependency tree and source.
    """

    code: str
    name: str
    severity: str
    message: str
    why: str
    fix: str
    fingerprint: str
    test: str | None = None
    request: RequestLine | None = None
    location: Location | None = None
    evidence: tuple[Observation, ...] = ()
    count: int = 1
    tests: tuple[str, ...] = ()
    suppressed: Suppression | None = None
    graph: bool = False

    def merged(self, other: Record) -> Record:
        """Return this record with another one of the same fingerprint counted in."""
        tests = tuple(dict.fromkeys((*self.tests, *other.tests)))
        return replace(self, count=self.count + other.count, tests=tests, test=self.test or other.test)

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values that survive JSON and pytest-xdist."""
        return asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Record:
        """Return the record that `to_wire` described."""
        location, request = data["location"], data["request"]
        return cls(
            **{
                **data,
                "location": Location(**location) if location else None,
                "request": RequestLine(**request) if request else None,
                "evidence": tuple(
                    Observation(piece["text"], Location(**piece["location"]) if piece["location"] else None)
                    for piece in data["evidence"]
                ),
                "tests": tuple(data["tests"]),
            }
        )


def record_of(finding: Finding, test: str | None, root: Path) -> Record:
    """Return a finding as it is told. `root` is the project's directory."""
    rule, location = finding.rule, _location(finding.site, root)
    endpoint = finding.endpoint
    request = RequestLine(endpoint.method, endpoint.route, endpoint.status) if endpoint is not None else None
    return Record(
        code=rule.code,
        name=rule.name,
        severity=str(finding.severity),
        message=finding.message,
        why=rule.why,
        fix=finding.fix or rule.fix,
        fingerprint=fingerprint(rule.code, location, finding.subject or (str(request) if location is None else "")),
        test=test,
        tests=(test,) if test else (),
        request=request,
        location=location,
        evidence=tuple(Observation(piece.text, _location(piece.site, root)) for piece in finding.evidence),
        graph=finding.graph,
    )


def fingerprint(code: str, location: Location | None, subject: str) -> str:
    """Return 16 hex digits that stay the same when lines move within a file."""
    parts = (code, location.path if location else "", location.function if location else "", subject)
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


def _location(site: CallSite | None, root: Path) -> Location | None:
    if site is None:
        return None
    path = os.path.relpath(site.path, root)
    return Location((site.path if path.startswith("..") else path).replace(os.sep, "/"), site.line, site.function)
