"""H403: a cancelled request keeps its connection."""

from __future__ import annotations

from harness.detectors.connections.leaks_when_cancelled import RULE, detect
from harness.detectors.finding import Finding
from harness.observe.facts import Phase
from tests.support.tapes import VERSIONS, Story, failure, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def cancelled(*, closed: bool, error: str = "asyncio.exceptions.CancelledError") -> Story:
    """A request whose client goes away while the endpoint works."""
    story = Story()
    request = story.request("GET /slow", coroutine=True)
    db = story.session(request, asynchronous=True)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, "SELECT * FROM items")
    if closed:
        story.close(db)
    story.end(request, failure(error))
    return story


def test_a_connection_that_a_cancelled_request_kept_is_reported() -> None:
    """Where it was taken."""
    assert [
        "H403 GET /slow was cancelled, and 1 connection of the AsyncSession from get_db was not returned to the pool "
        "@ app/api.py:18 in create_item"
    ] == told(found(cancelled(closed=False)))


def test_a_request_that_cleans_up_is_right() -> None:
    """`async with`, or try and finally."""
    assert [] == found(cancelled(closed=True))


def test_a_request_that_failed_otherwise_is_another_rules() -> None:
    """Nobody cancelled it."""
    assert [] == found(cancelled(closed=False, error="builtins.ValueError"))


def test_it_must_be_asked_for() -> None:
    """Requests must be cancelled for it."""
    assert RULE.opt_in
