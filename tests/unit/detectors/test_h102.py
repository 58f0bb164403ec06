"""H102: one session serves requests that overlap."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_shared_by_overlapping_requests import detect
from harness.observe.facts import Origin
from tests.support.tapes import VERSIONS, Story, place, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def overlapping(origin: Origin = Origin.APPLICATION, *, same: bool = False) -> Story:
    """Two requests that use one session while both are under way."""
    story = Story()
    db = story.session(None, at="app/db.py:3 <module>", origin=origin)
    first, second = story.request("GET /users"), story.request("GET /users" if same else "POST /items")
    story.sql(db, "SELECT * FROM users", at="app/api.py:7 users", during=first)
    story.sql(db, "INSERT INTO items VALUES (?)", at="app/api.py:12 create_item", during=second)
    db.overlaps.append((first, second, place("app/api.py:12 create_item")))
    for request in (first, second):
        story.respond(request)
        story.end(request)
    return story


def test_a_session_of_two_requests_at_once_is_reported_where_it_was_made() -> None:
    """Both requests are named, and where each used it."""
    (finding,) = found(overlapping())

    assert [
        "H102 one session was used by 2 requests at the same time: GET /users and POST /items @ app/db.py:3 in <module>"
    ] == told([finding])
    assert [
        "the session was made here @ app/db.py:3 in <module>",
        "GET /users used it @ app/api.py:7 in users",
        "POST /items used it while that was under way @ app/api.py:12 in create_item",
    ] == shown(finding)


def test_two_requests_to_one_route_are_counted() -> None:
    """They are two, though they have one name."""
    (finding,) = found(overlapping(same=True))

    assert "one session was used by 2 requests at the same time: GET /users ×2" == finding.message


def test_a_session_of_the_test_is_not_reported() -> None:
    """Suites put one session into the place of a dependency; production does not."""
    assert [] == found(overlapping(Origin.TEST))


def test_requests_one_after_the_other_are_another_rules() -> None:
    """Nothing overlapped."""
    story = overlapping()
    story.tape.sessions[0].overlaps.clear()

    assert [] == found(story)
