"""H401: a connection is still out when its request has ended."""

from __future__ import annotations

from harness.detectors.connections.connection_not_returned import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Origin, Request, Session
from tests.support.tapes import VERSIONS, Story, failure, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def reading(origin: Origin = Origin.APPLICATION, task: int | None = None) -> tuple[Story, Request, Session]:
    """A request whose session has read."""
    story = Story()
    request = story.request("GET /me", endpoint="app/api.py:40 me")
    db = story.session(request, origin=origin, task=task)
    story.sql(db, "SELECT * FROM users", at="app/api.py:41 me")
    return story, request, db


def finish(story: Story, request: Request) -> Story:
    """Answer, and return."""
    story.respond(request)
    story.end(request)
    return story


def test_a_session_that_nobody_closed_is_reported_where_its_connection_was_taken() -> None:
    """With where it was made, and what it did last."""
    story, request, _ = reading()
    (finding,) = found(finish(story, request))

    assert [
        "H401 1 connection of the session from get_db was not returned to the pool after SELECT FROM users: still "
        "out when GET /me → 200 had ended @ app/api.py:41 in me"
    ] == told([finding])
    assert [
        "the session from get_db was made here @ app/db.py:8 in get_db",
        "SELECT FROM users was the last statement on it @ app/api.py:41 in me",
    ] == shown(finding)
    assert "use a block that closes it, also after an exception: with SessionLocal() as session" == finding.fix


def test_connections_lost_by_one_line_are_counted() -> None:
    """A loop is one defect."""
    story = Story()
    request = story.request("GET /report", endpoint="app/api.py:40 report")
    for _ in range(3):
        story.sql(story.checkout(request, asynchronous=True), "SELECT 1")
    (finding,) = found(finish(story, request))

    assert [
        "H401 3 Core connections were not returned to the pool after SELECT ×3: still out when GET /report → 200 had "
        "ended @ app/core.py:5 in save"
    ] == told([finding])
    assert (
        "use a block that returns it, also after an exception: async with engine.connect() as connection" == finding.fix
    )


def test_garbage_collection_after_the_request_does_not_excuse_it() -> None:
    """It came when it pleased."""
    story, request, db = reading()
    finish(story, request)
    story.collect(db.transactions[0].checkout)

    assert 1 == len(found(story))


def test_a_cancelled_request_is_another_rules() -> None:
    """Which must be asked for."""
    story, request, _ = reading()
    story.end(request, failure("asyncio.exceptions.CancelledError"))

    assert [] == found(story)


def test_a_connection_that_was_returned_is_right() -> None:
    """By the session's close, or its commit."""
    for how in ("close", "commit"):
        story, request, db = reading()
        getattr(story, how)(db)

        assert [] == found(finish(story, request))


def test_what_comes_back_later_by_itself_is_right() -> None:
    """A stream, or a task, was not done."""
    story, request, db = reading()
    finish(story, request)
    story.close(db)

    assert [] == found(story)


def test_a_task_with_a_session_of_its_own_may_go_on() -> None:
    """It is not done either."""
    story, request, _ = reading(task=77)

    assert [] == found(finish(story, request))


def test_a_request_that_is_still_streaming_is_not_judged() -> None:
    """It has not ended."""
    story, request, _ = reading()
    story.respond(request)

    assert [] == found(story)


def test_a_session_of_the_test_is_not_reported() -> None:
    """It lives as long as its fixture, though the application's line has taken the connection."""
    story, request, db = reading(Origin.TEST)
    db.transactions[0].checkout.origin = Origin.APPLICATION

    assert [] == found(finish(story, request))


def test_a_connection_of_the_lifespan_is_not_a_requests() -> None:
    """It was taken before any came."""
    story = Story()
    connection = story.checkout(None)
    request = story.request("GET /me")
    story.sql(connection, "SELECT 1", during=request)

    assert [] == found(finish(story, request))
