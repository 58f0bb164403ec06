"""H304: one request uses a synchronous and an asynchronous engine."""

from __future__ import annotations

from harness.detectors.asynchrony.sync_and_async_engines import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Origin, Phase
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def half_migrated(*, background: bool = False, origin: Origin = Origin.APPLICATION, task: int | None = None) -> Story:
    """The user is read with one engine, the orders with another."""
    story = Story()
    request = story.request("GET /orders", coroutine=True)
    old = story.session(request, at="app/db.py:8 get_db", origin=origin, task=task)
    if background:
        story.phase(request, Phase.BACKGROUND)
    new = story.session(request, at="app/db.py:18 get_async_db", asynchronous=True)
    story.sql(old, "SELECT * FROM users", at="app/auth.py:9 current_user")
    story.sql(new, "SELECT * FROM orders", at="app/api.py:20 orders")
    story.sql(new, "SELECT * FROM items", at="app/api.py:21 orders")
    story.respond(request)
    story.end(request)
    return story


def test_both_engines_are_named_at_the_one_to_change() -> None:
    """The one that is used less."""
    (finding,) = found(half_migrated())

    assert [
        "H304 GET /orders sent 1 statement through a synchronous engine (postgresql+psycopg) and 2 through an "
        "asynchronous one (postgresql+asyncpg) @ app/auth.py:9 in current_user"
    ] == told([finding])
    assert [
        "SELECT FROM users went through a synchronous engine @ app/auth.py:9 in current_user",
        "SELECT FROM orders went through an asynchronous engine @ app/api.py:20 in orders",
        "SELECT FROM items went through an asynchronous engine @ app/api.py:21 in orders",
    ] == shown(finding)


def test_different_kinds_of_database_cannot_share_a_session() -> None:
    """A warehouse has an engine of its own."""
    story = half_migrated()
    story.tape.checkouts[0].driver = "mysql+pymysql"

    assert [] == found(story)


def test_work_apart_from_the_request_has_a_transaction_of_its_own_anyway() -> None:
    """A background task, or a task that goes on."""
    assert [] == found(half_migrated(background=True))
    assert [] == found(half_migrated(task=77))


def test_requests_that_use_one_each_are_right() -> None:
    """Both factories exist, for different contexts."""
    story = Story()
    for asynchronous in (True, False):
        request = story.request("GET /orders")
        story.sql(story.session(request, asynchronous=asynchronous), "SELECT * FROM orders")
        story.respond(request)
        story.end(request)

    assert [] == found(story)


def test_the_tests_own_engine_does_not_count() -> None:
    """A test's session in the place of one of them."""
    assert [] == found(half_migrated(origin=Origin.TEST))
