"""H404: a second connection of the same pool."""

from __future__ import annotations

from harness.detectors.connections.second_connection import detect
from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.observe.facts import Origin, Phase, Request
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def holding(origin: Origin = Origin.APPLICATION) -> tuple[Story, Request]:
    """A request whose session holds a connection."""
    story = Story()
    request = story.request("GET /me", endpoint="app/api.py:40 me")
    db = story.session(request, origin=origin)
    story.sql(db, "SELECT * FROM settings", at="app/api.py:41 me")
    return story, request


def second(story: Story, request: Request, task: int | None = None) -> None:
    """The authentication opens a session of its own."""
    auth = story.session(request, at="app/auth.py:7 current_user", task=task)
    story.sql(auth, "SELECT * FROM users", at="app/auth.py:8 current_user")
    story.close(auth)


def finish(story: Story, request: Request) -> Story:
    """Close, answer, and return."""
    story.close(story.tape.sessions[0])
    story.respond(request)
    story.end(request)
    return story


def test_the_second_is_reported_where_it_was_taken() -> None:
    """And the one that is held meanwhile."""
    story, request = holding()
    second(story, request)
    (finding,) = found(finish(story, request))

    assert [
        "H404 GET /me held 2 connections of one pool at once: the session from get_db, the session from current_user "
        "@ app/auth.py:8 in current_user"
    ] == told([finding])
    assert Severity.WARNING == finding.severity
    assert [
        "the session from get_db took a connection here, and kept it @ app/api.py:41 in me",
        "the session from current_user took another one here @ app/auth.py:8 in current_user",
    ] == shown(finding)


def test_one_line_is_told_once() -> None:
    """It takes one for each object, perhaps."""
    story, request = holding()
    second(story, request)
    second(story, request)

    (finding,) = found(finish(story, request))

    assert (
        "GET /me held 2 connections of one pool at once, 2 times: the session from get_db, the session from "
        "current_user"
    ) == finding.message


def test_a_connection_that_never_came_back_is_another_rules() -> None:
    """It is held because it leaks."""
    story, request = holding()
    second(story, request)
    story.respond(request)
    story.end(request)

    assert [] == found(story)


def test_one_after_the_other_is_right() -> None:
    """The first had been returned."""
    story, request = holding()
    story.close(story.tape.sessions[0])
    second(story, request)

    assert [] == found(finish(story, request))


def test_connections_of_different_pools_are_right() -> None:
    """They cannot block each other."""
    story, request = holding()
    story.close(story.checkout(request, pool=2))

    assert [] == found(finish(story, request))


def test_background_tasks_are_another_rules() -> None:
    """There, what is wrong is the first one."""
    story, request = holding()
    story.respond(request)
    story.phase(request, Phase.BACKGROUND)
    second(story, request)
    story.end(request)

    assert [] == found(story)


def test_tasks_side_by_side_with_a_session_each_are_a_remark() -> None:
    """That is how H103 wants it; it needs a pool that is large enough."""
    story, request = holding()
    story.tape.sessions[0].main = 76
    second(story, request, task=77)
    (finding,) = found(finish(story, request))

    assert Severity.INFO == finding.severity
    assert "limit how many tasks run side by side: each request needs 2 connections" == finding.fix


def test_the_tests_own_session_does_not_count() -> None:
    """It stands for one that production closes in time, perhaps."""
    story, request = holding(Origin.TEST)
    second(story, request)

    assert [] == found(finish(story, request))
