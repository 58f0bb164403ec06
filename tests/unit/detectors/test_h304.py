"""H304: one request uses a synchronous and an asynchronous engine."""

from __future__ import annotations

from harness.detectors.asynchrony.sync_and_async_engines import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Origin
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def half_migrated(*, coroutine: bool = True, origin: Origin = Origin.APPLICATION) -> Story:
    """The user is read with one engine, the orders with another."""
    story = Story()
    request = story.request("GET /orders", coroutine=coroutine)
    old = story.session(request, at="app/db.py:8 get_db", origin=origin)
    new = story.session(request, at="app/db.py:18 get_async_db", asynchronous=True)
    story.sql(old, "SELECT * FROM users", at="app/auth.py:9 current_user")
    story.sql(new, "SELECT * FROM orders", at="app/api.py:20 orders")
    story.sql(new, "SELECT * FROM items", at="app/api.py:21 orders")
    story.respond(request)
    story.end(request)
    return story


def test_both_engines_are_named_at_the_one_to_change() -> None:
    """In a coroutine that is the synchronous one."""
    (finding,) = found(half_migrated())

    assert [
        "H304 GET /orders → 200 used a synchronous engine (postgresql+psycopg, 1 statement) and an asynchronous one "
        "(postgresql+asyncpg, 2 statements) @ app/auth.py:9 in current_user"
    ] == told([finding])
    assert [
        "synchronous: SELECT FROM users @ app/auth.py:9 in current_user",
        "asynchronous: SELECT FROM orders @ app/api.py:20 in orders",
    ] == shown(finding)


def test_in_a_plain_function_the_asynchronous_one_is_odd() -> None:
    """So that is the line."""
    (finding,) = found(half_migrated(coroutine=False))

    assert "app/api.py:20 in orders" == str(finding.site)


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
