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
        "H405 1 external call (POST https://mail.example, by httpx) was made while POST /chat held 1 connection "
        "(the session from get_db, idle since SELECT FROM users) @ app/mail.py:12 in send"
    ] == told([finding])
    assert [
        "the session from get_db took its connection here @ app/auth.py:21 in current_user",
    ] == shown(finding)


def test_what_the_connection_did_last_is_told() -> None:
    """A write holds its locks meanwhile."""
    story, request, held = reading()
    story.sql(story.tape.sessions[0], "UPDATE users SET seen = now()")
    story.call(request, held)
    (finding,) = found(finish(story, request))

    assert finding.message.endswith("held 1 connection (the session from get_db, idle since UPDATE users)")
    assert "UPDATE users was its last statement before the call @ app/api.py:18 in create_item" == shown(finding)[-1]
    assert "read what the call needs, end the transaction, then call: session.commit() before it" == finding.fix


def test_calls_of_one_line_are_counted() -> None:
    """A loop is one defect."""
    story, request, held = reading()
    story.call(request, held)
    story.call(request, held, target="GET https://other.example")
    (finding,) = found(finish(story, request))

    assert finding.message.startswith(
        "2 external calls (POST https://mail.example, GET https://other.example, by httpx) were made while POST /chat"
    )


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


def test_the_requests_connection_waits_for_a_background_tasks_call_too() -> None:
    """FastAPI ends dependencies after the tasks."""
    story, request, held = reading()
    story.respond(request)
    story.phase(request, Phase.BACKGROUND)
    story.call(request, held)
    story.end(request)

    assert 1 == len(found(story))


def test_a_task_with_a_session_of_its_own_does_not_wait() -> None:
    """It works beside the call."""
    story, request, held = reading()
    story.tape.sessions[0].main = 77
    story.call(request, held)

    assert [] == found(finish(story, request))
