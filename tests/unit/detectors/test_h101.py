"""H101: one session serves several requests."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_shared_by_requests import detect, inspect
from harness.graph.facts import AppGraph, Endpoint, Function, SharedSession, Sort
from harness.observe.facts import Origin
from tests.support.tapes import VERSIONS, Story, at, place, told

MADE = "app/db.py:12 <module>"


def shared(story: Story, *, origin: Origin = Origin.APPLICATION, requests: int = 2) -> list[Finding]:
    """One session in some requests."""
    session = story.session(None, at=MADE, origin=origin)
    for _ in range(requests):
        request = story.request("GET /items")
        story.sql(session, "SELECT 1", at="app/api.py:9 read_items", during=request)
        story.close(session)
        story.respond(request, 200)
        story.end(request)
    return list(detect(story.tape, VERSIONS))


def test_a_session_in_two_requests_is_reported_where_it_is_made() -> None:
    """Once, with the requests."""
    (finding,) = shared(Story(), requests=3)

    assert [
        "H101 one Session served 3 requests, from GET /items → 200 to GET /items → 200 @ app/db.py:12 in <module>"
    ] == (told([finding]))
    assert ["GET /items → 200 used it"] * 3 == [piece.text for piece in finding.evidence]


@pytest.mark.parametrize("origin", [Origin.TEST, Origin.HARNESS])
def test_a_session_of_the_tests_may_serve_many(origin: Origin) -> None:
    """Tests put one into the place of a dependency."""
    assert [] == shared(Story(), origin=origin)


def test_one_request_may_use_a_session_made_before() -> None:
    """The second one makes it a finding."""
    assert [] == shared(Story(), requests=1)


def test_overlapping_requests_are_another_rules() -> None:
    """H102 says more about them."""
    story = Story()
    shared(story)
    session = story.tape.sessions[0]
    session.overlaps.append((story.tape.requests[0], story.tape.requests[1], place(MADE)))

    assert [] == list(detect(story.tape, VERSIONS))


def test_the_source_shows_it_once_however_many_use_it() -> None:
    """At the same place, and with the same subject, as a test that meets it."""
    endpoints = tuple(
        Endpoint(
            function=Function(
                name=f"app.api.{name}",
                site=at(f"app/api.py:5 {name}"),
                shared=(SharedSession(name="db", sort=Sort.SESSION, made=at(MADE), used=at(f"app/api.py:6 {name}")),),
            ),
            routes=(),
        )
        for name in ("read_items", "read_users")
    )
    (finding,) = inspect(AppGraph(endpoints=endpoints), VERSIONS)

    assert ["H101 one Session, db, serves every request of read_items and 1 more @ app/db.py:12 in <module>"] == (
        told([finding])
    )
    assert finding.graph
    assert shared(Story())[0].site == finding.site
    assert "Session" == shared(Story())[0].subject == finding.subject
