"""H106: a session outlives its request."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_outlives_request import detect
from harness.observe.facts import Origin
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def late(origin: Origin = Origin.APPLICATION, *, task: int | None = None, what: str = "a transaction") -> Story:
    """A task that goes on with its request's session when the request has ended."""
    story = Story()
    request = story.request("POST /orders", coroutine=True)
    db = story.session(request, origin=origin, asynchronous=True, task=task)
    story.respond(request, 201)
    story.close(db)
    story.end(request)
    if what != "close":
        story.sql(db, "INSERT INTO audit VALUES (?)", at="app/audit.py:6 write_audit")
    db.late.append(story.use(request, what, at="app/audit.py:5 write_audit", finished=True))
    return story


def test_a_late_use_is_reported_with_its_statement() -> None:
    """Where it was used, and where the session was made."""
    (finding,) = found(late())

    assert [
        "H106 the AsyncSession from get_db was used when POST /orders → 201 had ended: INSERT INTO audit "
        "@ app/audit.py:6 in write_audit"
    ] == told([finding])
    assert [
        "it was used here, after the request @ app/audit.py:6 in write_audit",
        "the AsyncSession from get_db was made here @ app/db.py:8 in get_db",
    ] == shown(finding)


def test_a_task_that_made_the_session_itself_may_go_on_with_it() -> None:
    """It is the task's, not the request's."""
    assert [] == found(late(task=77))


def test_closing_late_is_no_use() -> None:
    """A fixture or a finalizer tidies up."""
    assert [] == found(late(what="close"))


def test_a_session_of_the_test_is_not_reported() -> None:
    """It goes on in the test."""
    assert [] == found(late(Origin.TEST))


def test_a_use_in_another_request_is_another_rules() -> None:
    """Then the session is shared by requests."""
    story = late()
    story.tape.sessions[0].late[0].request = story.request("GET /orders")

    assert [] == found(story)
