"""H402: a connection that only garbage collection returns."""

from __future__ import annotations

from harness.detectors.connections.returned_by_garbage_collection import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Checkout, Origin, Request
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def counting(origin: Origin = Origin.APPLICATION) -> tuple[Story, Request, Checkout]:
    """`engine.connect().scalar(…)`."""
    story = Story()
    request = story.request("GET /count", endpoint="app/api.py:40 count")
    connection = story.checkout(request, at="app/core.py:5 count_items", origin=origin)
    story.sql(connection, "SELECT count(*) FROM items", at="app/core.py:5 count_items")
    return story, request, connection


def finish(story: Story, request: Request) -> Story:
    """Answer, and return."""
    story.respond(request)
    story.end(request)
    return story


def test_a_connection_that_was_collected_is_reported_where_it_was_taken() -> None:
    """With what was sent on it."""
    story, request, connection = counting()
    story.collect(connection)
    (finding,) = found(finish(story, request))

    assert [
        "H402 1 Core connection, taken by GET /count → 200, had to be returned by garbage collection "
        "@ app/core.py:5 in count_items"
    ] == told([finding])
    assert [
        "SELECT FROM items was the last statement on it @ app/core.py:5 in count_items",
    ] == shown(finding)


def test_a_connection_of_an_asynchronous_engine_is_thrown_away() -> None:
    """Nobody could await its cleaning."""
    story, request, connection = counting()
    connection.asynchronous = True
    connection.statements[0].task = request.main or 0
    story.collect(connection)
    (finding,) = found(finish(story, request))

    assert (
        "1 Core connection, taken by GET /count → 200, had to be thrown away by garbage collection" == finding.message
    )


def test_a_connection_that_was_closed_is_right() -> None:
    """By a with-block, or close."""
    story, request, connection = counting()
    story.close(connection)

    assert [] == found(finish(story, request))


def test_one_that_was_out_when_the_request_ended_is_another_rules() -> None:
    """Whether it was collected since is chance."""
    story, request, connection = counting()
    finish(story, request)
    story.collect(connection)

    assert [] == found(story)


def test_a_connection_of_the_test_is_not_reported() -> None:
    """Nor is harness's own."""
    for origin in (Origin.TEST, Origin.HARNESS):
        story, request, connection = counting(origin)
        story.collect(connection)

        assert [] == found(finish(story, request))
