"""H208: a write on a Core connection that nobody committed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.transactions.core_write_never_committed import detect
from harness.observe.facts import Checkout, Origin, Request
from tests.support.tapes import VERSIONS, Story, shown, told

INSERT = "INSERT INTO items (name) VALUES (?)"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def connected(origin: Origin = Origin.APPLICATION, *, asynchronous: bool = False) -> tuple[Story, Request, Checkout]:
    """A request that has written on a connection of its own."""
    story = Story()
    request = story.request()
    connection = story.checkout(request, origin=origin, asynchronous=asynchronous)
    story.sql(connection, INSERT, at="app/core.py:6 save")
    return story, request, connection


def finish(story: Story, request: Request, status: int = 201) -> Story:
    """Answer, and return."""
    story.respond(request, status)
    story.end(request)
    return story


def test_a_write_that_close_rolls_back_is_reported() -> None:
    """At the statement, with the connection's beginning and end."""
    story, request, connection = connected()
    story.close(connection, at="app/core.py:5 save")
    (finding,) = found(finish(story, request))

    assert [
        "H208 1 write (INSERT INTO items) of POST /items → 201 was discarded when the connection was closed "
        "@ app/core.py:6 in save"
    ] == told([finding])
    assert [
        "INSERT INTO items was sent here @ app/core.py:6 in save",
        "the connection was taken here @ app/core.py:5 in save",
        "it was closed here, without a commit @ app/core.py:5 in save",
    ] == shown(finding)
    assert (
        "use with engine.begin(), which commits at its end, or connection.commit() after the last write" == finding.fix
    )


def test_an_asynchronous_connection_is_told_in_its_own_words() -> None:
    """`async with`, `await`."""
    story, request, connection = connected(asynchronous=True)
    story.close(connection)
    (finding,) = found(finish(story, request))

    assert (
        "use async with engine.begin(), which commits at its end, or await connection.commit() after the last write"
        == finding.fix
    )


def test_a_connection_that_is_still_out_has_not_committed() -> None:
    """It leaks besides, which another rule tells."""
    story, request, _ = connected()
    (finding,) = found(finish(story, request))

    assert finding.message.endswith("was never committed: the connection was still out when the request had ended")


def test_a_connection_that_garbage_collection_returned_has_not_committed() -> None:
    """Nor has anybody else."""
    story, request, connection = connected()
    story.collect(connection)
    (finding,) = found(finish(story, request))

    assert finding.message.endswith("was discarded when garbage collection returned the connection")


def test_a_commit_and_an_explicit_rollback_are_right() -> None:
    """The second is a dry run."""
    for how in ("commit", "rollback"):
        story, request, connection = connected()
        getattr(story, how)(connection)
        story.close(connection)

        assert [] == found(finish(story, request))


def test_autocommit_and_no_rows_are_right() -> None:
    """The listener does not call such a statement a write."""
    story, request, connection = connected()
    connection.statements[0].write = False
    story.close(connection)

    assert [] == found(finish(story, request))


def test_a_block_that_was_left_with_an_exception_meant_it() -> None:
    """Whoever caught it answered with success."""
    story, request, connection = connected()
    story.close(connection, unwinding=True)

    assert [] == found(finish(story, request))


def test_a_refused_request_may_drop_its_work() -> None:
    """It was answered with 400 or above."""
    story, request, connection = connected()
    story.close(connection)

    assert [] == found(finish(story, request, 404))


def test_a_connection_of_the_test_is_not_reported() -> None:
    """Whatever took it."""
    story, request, connection = connected(Origin.TEST)
    story.close(connection)

    assert [] == found(finish(story, request))


def test_a_sessions_connection_is_another_rules() -> None:
    """That is H201."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, INSERT)
    story.close(db)

    assert [] == found(finish(story, request))
