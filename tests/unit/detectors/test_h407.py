"""H407: a request's connection waits until its background tasks are done."""

from __future__ import annotations

import pytest

from harness.detectors.connections.held_during_background import detect
from harness.detectors.finding import Finding
from harness.detectors.versions import Versions
from harness.observe.facts import Origin, Phase, Request, Session
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story, versions: Versions = VERSIONS) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, versions))


def report(origin: Origin = Origin.APPLICATION) -> tuple[Story, Request, Session]:
    """A request that has read, and is in its background tasks."""
    story = Story()
    request = story.request("POST /reports", endpoint="app/api.py:40 report")
    db = story.session(request, origin=origin)
    story.sql(db, "SELECT * FROM users", at="app/api.py:41 report")
    return story, request, db


def background(story: Story, request: Request) -> None:
    """A task with a session of its own."""
    story.respond(request, 202)
    story.phase(request, Phase.BACKGROUND)
    own = story.session(request, at="app/jobs.py:5 build")
    story.sql(own, "INSERT INTO reports VALUES (?)", at="app/jobs.py:6 build")
    story.commit(own)
    story.phase(request, Phase.TEARDOWN)


def finish(story: Story, request: Request, db: Session) -> Story:
    """The dependency ends, and the request."""
    story.close(db)
    story.end(request)
    return story


def test_a_connection_that_outlasts_the_tasks_is_told() -> None:
    """With the second one that a task needs, and how to end it in time."""
    story, request, db = report()
    background(story, request)
    (finding,) = found(finish(story, request, db))

    assert [
        "H407 1 connection of the session from get_db was kept for 7.0 ms of background tasks after POST /reports was "
        "answered @ app/api.py:41 in report"
    ] == told([finding])
    assert [
        "a background task took a second connection of the same pool here @ app/jobs.py:6 in build",
    ] == shown(finding)
    assert (
        "end the transaction before the endpoint returns: session.commit(); "
        'or use Depends(..., scope="function"), whose exit runs before the tasks'
    ) == finding.fix


def test_without_scopes_the_endpoint_must_let_go() -> None:
    """FastAPI before 0.121."""
    story, request, db = report()
    background(story, request)
    (finding,) = found(finish(story, request, db), Versions((0, 118, 0), (2, 1, 9)))

    assert "end the transaction before the endpoint returns: session.commit()" == finding.fix


@pytest.mark.parametrize("how", ["commit", "close"])
def test_a_connection_that_was_returned_before_is_right(how: str) -> None:
    """By a commit, or by a dependency with scope="function"."""
    story, request, db = report()
    getattr(story, how)(db)
    background(story, request)

    assert [] == found(finish(story, request, db))


def test_a_request_without_tasks_is_right() -> None:
    """Nothing is waited for."""
    story, request, db = report()
    story.respond(request)

    assert [] == found(finish(story, request, db))


def test_a_task_that_uses_the_requests_session_is_another_rules() -> None:
    """Then the connection is not idle."""
    story, request, db = report()
    background(story, request)
    db.background.append(story.use(request))

    assert [] == found(finish(story, request, db))


def test_a_session_of_the_test_is_not_reported() -> None:
    """It is closed by its fixture."""
    story, request, db = report(Origin.TEST)
    background(story, request)

    assert [] == found(finish(story, request, db))
