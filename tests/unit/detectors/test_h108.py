"""H108: an async generator is dropped while it holds a session."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.abandoned_session_generator import detect
from harness.observe.facts import Request
from harness.observe.incidents import Abandoned
from tests.support.tapes import VERSIONS, Story, at, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def drop(story: Story, request: Request | None) -> None:
    """Leave `async for db in get_db()` with a return."""
    suspended = at("app/db.py:9 get_db")
    story.tape.abandoned.append(Abandoned(at("app/db.py:6 get_db"), suspended, story.tick(), request, "AsyncSession"))


def test_a_generator_that_a_request_dropped_is_reported() -> None:
    """Where it was suspended, and how to enter it."""
    story = Story()
    request = story.request("GET /me", coroutine=True)
    db = story.session(request, asynchronous=True)
    drop(story, request)
    story.respond(request)
    story.end(request)
    (finding,) = found(story)

    assert [
        "H108 get_db() was dropped in GET /me → 200 while it was suspended and held an AsyncSession "
        "@ app/db.py:9 in get_db"
    ] == told([finding])
    assert ["it was suspended here, and what follows may never run @ app/db.py:9 in get_db"] == shown(finding)
    assert (
        "enter it as a context: async with contextlib.asynccontextmanager(get_db)() as db, or Depends(get_db)"
        == finding.fix
    )
    assert id(db) == finding.root


def test_a_generator_of_the_test_is_not_reported() -> None:
    """No request dropped it."""
    story = Story()
    drop(story, None)

    assert [] == found(story)


def test_nothing_dropped_is_nothing_found() -> None:
    """A loop whose body ends lets the generator end."""
    assert [] == found(Story())
