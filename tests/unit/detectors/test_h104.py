"""H104: sibling tasks share a session."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_shared_by_sibling_tasks import detect
from harness.observe.facts import Origin
from harness.observe.incidents import Collision, Sharing
from tests.support.tapes import VERSIONS, Story, place, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def siblings(origin: Origin = Origin.APPLICATION) -> Story:
    """A task group whose tasks use one session."""
    story = Story()
    request = story.request("POST /refresh", coroutine=True)
    db = story.session(request, origin=origin, asynchronous=True)
    line = place("app/jobs.py:9 refresh_user")
    db.siblings.append(Sharing(story.tick(), line, request, ("refresh_user", "refresh_user")))
    db.siblings.append(Sharing(story.tick(), line, request, ("refresh_user", "refresh_post")))
    story.respond(request)
    story.end(request)
    return story


def test_live_siblings_are_named() -> None:
    """With the line that used the session beside another task."""
    (finding,) = found(siblings())

    assert [
        "H104 the AsyncSession from get_db was used by tasks that ran side by side (refresh_user and refresh_post) "
        "in POST /refresh → 200 @ app/jobs.py:9 in refresh_user"
    ] == told([finding])
    assert [
        "2 uses by a task while another one was alive, first here @ app/jobs.py:9 in refresh_user",
        "the AsyncSession from get_db was made here @ app/db.py:8 in get_db",
    ] == shown(finding)


def test_a_session_of_the_test_is_not_reported() -> None:
    """The test may have started the tasks."""
    assert [] == found(siblings(Origin.TEST))


def test_statements_that_met_are_told_by_the_other_rule_alone() -> None:
    """One cause, one finding."""
    story = siblings()
    session = story.tape.sessions[0]
    session.collisions.append(Collision(story.tick(), session.request, "SELECT", None, "SELECT", None))

    assert [] == found(story)
