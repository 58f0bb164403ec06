"""Which requests are drawn: a page with ten thousand drawings helps nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from harness.gate.record import Record

#: How many requests are drawn.
DRAWN = 60


@dataclass(slots=True)
class Drawn:
    """One request of one test.

    Attributes:
        anchor: its place on the page.
        test: the test's node id.
        request: as `harness.report.timeline` tells it.
        codes: the rules that found something in it, with the place of the finding on the page.
    """

    anchor: str
    test: str
    request: dict[str, Any]
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`POST /items`."""
        return f"{self.request['method']} {self.request['route']}"


@dataclass(slots=True)
class Choice:
    """The requests that are drawn.

    Attributes:
        drawn: in the order of the tests, as they ran.
        left_out: how many others there were.
        anchors: for a finding's fingerprint, the place of its request.
    """

    drawn: list[Drawn]
    left_out: int
    anchors: dict[str, str]

    def anchor_of(self, request: dict[str, Any]) -> str | None:
        """Return where a request is drawn, if it is."""
        return next((found.anchor for found in self.drawn if found.request is request), None)


def choose(timelines: Sequence[dict[str, Any]], records: Sequence[Record]) -> Choice:
    """Choose the requests in which something was found, then in turn the slowest and those with the most statements."""
    every = [
        Drawn(f"r-{number}", timeline["test"], request)
        for number, (timeline, request) in enumerate(
            (timeline, request) for timeline in timelines for request in timeline["requests"]
        )
    ]
    known: dict[tuple[str, str, str], list[Drawn]] = {}
    for entry in every:
        known.setdefault((entry.test, entry.request["method"], entry.request["route"]), []).append(entry)
    anchors: dict[str, str] = {}
    for record in records:
        for found in _requests_of(record, known):
            found.codes.setdefault(record.code, f"f-{record.fingerprint}")
            anchors.setdefault(record.fingerprint, found.anchor)
    # First one request for each finding, then the others in which it was met.
    guilty = sorted((entry for entry in every if entry.codes), key=lambda entry: entry.anchor not in anchors.values())
    slow = sorted(every, key=lambda entry: -entry.request["took"])
    chatty = sorted(every, key=lambda entry: -entry.request["count"])
    rest = (entry for pair in zip_longest(slow, chatty) for entry in pair if entry is not None)
    chosen = {entry.anchor for entry in _first_of(chain(guilty, rest))}
    return Choice(
        [entry for entry in every if entry.anchor in chosen],
        len(every) - len(chosen) + sum(timeline["more_requests"] for timeline in timelines),
        {fingerprint: anchor for fingerprint, anchor in anchors.items() if anchor in chosen},
    )


def _requests_of(record: Record, known: dict[tuple[str, str, str], list[Drawn]]) -> Iterator[Drawn]:
    """Yield one request for each test in which a finding arose: one with its status, if there is one."""
    if record.request is None or record.graph:
        return
    for test in record.tests:
        found = known.get((test, record.request.method, record.request.route), [])
        alike = [entry for entry in found if entry.request["status"] == record.request.status]
        yield from (alike or found)[:1]


def _first_of(entries: chain[Drawn]) -> list[Drawn]:
    found: dict[str, Drawn] = {}
    for entry in entries:
        if len(found) == DRAWN:
            break
        found.setdefault(entry.anchor, entry)
    return list(found.values())
