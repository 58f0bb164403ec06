"""H107: a session is used after it was closed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.detectors.sharing.session_used_after_close import detect
from harness.observe.facts import Origin, Request, Session
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def next_get_db(origin: Origin = Origin.APPLICATION, task: int | None = None) -> tuple[Story, Request, Session]:
    """`db = next(get_db())`: the dropped generator has closed the session before its first use."""
    story = Story()
    request = story.request("GET /me", endpoint="app/api.py:40 me")
    db = story.session(request, origin=origin, task=task)
    story.close(db, at="app/db.py:11 get_db")
    story.sql(db, "SELECT * FROM users", at="app/auth.py:51 current_user")
    return story, request, db


def test_a_session_that_began_again_and_stayed_open_is_reported() -> None:
    """Where it began again, and where it had been closed."""
    story, request, _ = next_get_db()
    story.respond(request)
    story.end(request)
    (finding,) = found(story)

    assert [
        "H107 the session from get_db was used after it was closed: SELECT FROM users in GET /me → 200 began it "
        "again, and nothing closed it @ app/auth.py:51 in current_user"
    ] == told([finding])
    assert Severity.ERROR == finding.severity
    assert [
        "the session from get_db was made here @ app/db.py:8 in get_db",
        "it was closed here @ app/db.py:11 in get_db",
        "SELECT FROM users began it again @ app/auth.py:51 in current_user",
    ] == shown(finding)


def test_garbage_collection_does_not_excuse_it() -> None:
    """The connection came back, when it pleased."""
    story, request, db = next_get_db()
    story.respond(request)
    story.end(request)
    story.collect(db.transactions[0].checkout)

    assert [Severity.ERROR] == [finding.severity for finding in found(story)]


def test_a_commit_afterwards_makes_it_a_warning() -> None:
    """No connection is held; the next read would hold one."""
    story, request, db = next_get_db()
    story.commit(db)
    story.respond(request)
    story.end(request)
    (finding,) = found(story)

    assert Severity.WARNING == finding.severity
    assert finding.message.endswith("and nothing closed it, though it was committed or rolled back")


def test_close_as_a_reset_is_right_when_it_is_closed_again() -> None:
    """Also by whoever called, in a finally."""
    story, request, db = next_get_db()
    story.close(db)
    story.respond(request)
    story.end(request)

    assert [] == found(story)


def test_a_session_of_the_test_is_not_reported() -> None:
    """An override's or a fixture's session lives as the test likes."""
    story, request, _ = next_get_db(Origin.TEST)
    story.respond(request)
    story.end(request)

    assert [] == found(story)


def test_a_task_of_its_own_may_not_be_done() -> None:
    """It is judged by what it leaves, not by when its request ends."""
    story, request, _ = next_get_db(task=77)
    story.respond(request)
    story.end(request)

    assert [] == found(story)
