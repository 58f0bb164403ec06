"""H405: a request waits for another service while it holds a connection."""

from __future__ import annotations

from harness.detectors.connections.held_during_external_call import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Checkout, Origin, Phase, Request
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def reading(origin: Origin = Origin.APPLICATION) -> tuple[Story, Request, Checkout]:
    """A request that has read, and holds its connection."""
    story = Story()
    request = story.request("POST /chat", endpoint="app/api.py:40 chat")
    db = story.session(request, origin=origin)
    sent = story.sql(db, "SELECT * FROM users", at="app/auth.py:21 current_user")
    assert sent.checkout is not None
    return story, request, sent.checkout


def finish(story: Story, request: Request) -> Story:
    """Answer, and return."""
    story.respond(request)
    story.end(request)
    return story


def test_the_call_is_reported_with_the_connection_that_waits() -> None:
    """Where it was taken, and what it was used for last."""
    story, request, held = reading()
    story.call(request, held)
    (finding,) = found(finish(story, request))

    assert [
        "H405 POST /chat → 200 called POST https://mail.example while it held the connection of the session from "
        "get_db @ app/mail.py:12 in send"
    ] == told([finding])
    assert [
        "httpx called POST https://mail.example here @ app/mail.py:12 in send",
        "the connection was taken here @ app/auth.py:21 in current_user",
        "SELECT FROM users was the last statement before the call @ app/auth.py:21 in current_user",
    ] == shown(finding)


def test_uncommitted_writes_are_counted() -> None:
    """Their locks are held too."""
    story, request, held = reading()
    story.sql(story.tape.sessions[0], "UPDATE users SET seen = now()")
    story.call(request, held)
    (finding,) = found(finish(story, request))

    assert finding.message.endswith("while it held the connection of the session from get_db and 1 uncommitted write")


def test_calls_of_one_line_are_counted() -> None:
    """A loop is one defect."""
    story, request, held = reading()
    story.call(request, held)
    story.call(request, held, target="GET https://other.example")
    (finding,) = found(finish(story, request))

    assert "called POST https://mail.example and GET https://other.example 2 times while" in finding.message


def test_a_call_that_keeps_no_connection_waiting_is_right() -> None:
    """Before the first query, or after a commit or close."""
    story, request, _ = reading()
    story.call(request)

    assert [] == found(finish(story, request))


def test_a_connection_of_the_tests_session_does_not_count() -> None:
    """The test keeps it open, whatever production does."""
    story, request, held = reading(Origin.TEST)
    held.origin = Origin.APPLICATION
    story.call(request, held)

    assert [] == found(finish(story, request))


def test_a_background_tasks_call_is_judged_by_the_tasks_own_connection() -> None:
    """What the request holds meanwhile is another rule's."""
    story, request, held = reading()
    story.respond(request)
    story.phase(request, Phase.BACKGROUND)
    story.call(request, held)
    own = story.checkout(request, at="app/jobs.py:8 notify")
    story.end(request)

    assert [] == found(story)

    story.call(request, own, at="app/jobs.py:9 notify")

    assert [
        "H405 POST /chat → 200 called POST https://mail.example while it held a connection @ app/jobs.py:9 in notify"
    ] == told(found(story))
