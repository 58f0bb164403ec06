"""H103: statements of two tasks meet on one session."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_used_by_two_tasks_at_once import detect
from harness.observe.facts import Origin
from harness.observe.incidents import Collision
from tests.support.tapes import VERSIONS, Story, place, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def gathered(origin: Origin = Origin.APPLICATION, times: int = 1) -> Story:
    """An endpoint that gathers two queries on its one session."""
    story = Story()
    request = story.request("GET /stats", endpoint="app/stats.py:20 stats", coroutine=True)
    db = story.session(request, origin=origin, asynchronous=True)
    one, two = place("app/stats.py:30 users"), place("app/stats.py:34 posts")
    for _ in range(times):
        db.collisions.append(Collision(story.tick(), request, "SELECT FROM users", one, "SELECT FROM posts", two))
    story.respond(request)
    story.end(request)
    return story


def test_statements_that_met_are_named_with_their_lines() -> None:
    """And whose session it was."""
    (finding,) = found(gathered())

    assert [
        "H103 two tasks used the AsyncSession from get_db at once in GET /stats → 200: "
        "SELECT FROM posts was sent while SELECT FROM users was under way @ app/stats.py:34 in posts"
    ] == told([finding])
    assert [
        "SELECT FROM users was under way @ app/stats.py:30 in users",
        "SELECT FROM posts was sent @ app/stats.py:34 in posts",
        "the AsyncSession from get_db was made here @ app/db.py:8 in get_db",
    ] == shown(finding)


def test_several_meetings_in_one_request_are_one_finding_with_a_number() -> None:
    """The cause is one."""
    (finding,) = found(gathered(times=3))

    assert finding.message.endswith("SELECT FROM posts was sent while SELECT FROM users was under way, 3 times")


def test_a_session_of_the_test_is_not_reported() -> None:
    """The test may have sent the requests side by side."""
    assert [] == found(gathered(Origin.TEST))


def test_tasks_that_took_turns_are_silent() -> None:
    """No statement met another."""
    assert [] == found(gathered(times=0))
