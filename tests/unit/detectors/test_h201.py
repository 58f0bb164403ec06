"""H201: a write that nobody committed."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.transactions.write_never_committed import detect
from harness.observe.facts import Origin, Overridden, Request, Session
from tests.support.tapes import VERSIONS, Story, at, failure, shown, told

INSERT = "INSERT INTO items (name) VALUES (?)"
UPDATE = "UPDATE stock SET left = left - 1"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def post(origin: Origin = Origin.APPLICATION, task: int | None = None) -> tuple[Story, Request, Session]:
    """A request with a session; nothing has been written yet."""
    story = Story()
    request = story.request("POST /items")
    if origin is Origin.APPLICATION:
        return story, request, story.session(request, task=task)
    return story, request, story.session(None, at="tests/conftest.py:9 session", origin=origin)


def finish(story: Story, request: Request, status: int = 201) -> Story:
    """Answer, and return."""
    story.respond(request, status)
    story.end(request)
    return story


def overriding(request: Request, *, commits: bool) -> None:
    """Let a test's dependency stand for the application's own."""
    request.overridden.append(Overridden("app.db.get_db", at("app/db.py:6 get_db"), commits))


# What is found


def test_writes_that_a_close_discards_are_reported_at_the_first_of_them() -> None:
    """What was lost, in which request, who made the session and who closed it."""
    story, request, db = post()
    story.sql(db, INSERT)
    story.sql(db, UPDATE, at="app/stock.py:7 take")
    story.respond(request, 201)
    story.close(db)
    story.end(request)
    (finding,) = found(story)

    assert [
        "H201 2 writes (INSERT INTO items, UPDATE stock) of POST /items → 201 were discarded when the session was "
        "closed @ app/api.py:18 in create_item"
    ] == told([finding])
    assert [
        "INSERT INTO items was sent here @ app/api.py:18 in create_item",
        "UPDATE stock was sent here @ app/stock.py:7 in take",
        "the session from get_db was made here @ app/db.py:8 in get_db",
        "it was closed here, without a commit @ app/db.py:10 in get_db",
    ] == shown(finding)
    assert "commit before the response is sent: session.commit() after the last write" == finding.fix


def test_an_object_that_was_never_flushed_is_a_lost_write_too() -> None:
    """`session.add` without anything after it sends nothing."""
    story, request, db = post()
    story.respond(request, 201)
    story.unflushed(db, "add", "Item", at="app/api.py:17 create_item")
    story.close(db)
    story.end(request)
    (finding,) = found(story)

    assert [
        "H201 1 write (new Item) of POST /items → 201 was discarded when the session was closed "
        "@ app/api.py:17 in create_item"
    ] == told([finding])
    assert "Item was added and never flushed @ app/api.py:17 in create_item" == shown(finding)[0]
    assert "it was closed here, without a commit @ app/db.py:10 in get_db" == shown(finding)[-1]


def test_an_async_session_must_await_its_commit() -> None:
    """The fix fits the session."""
    story = Story()
    request = story.request("POST /items", coroutine=True)
    db = story.session(request, asynchronous=True)
    story.sql(db, INSERT)
    story.close(db)
    (finding,) = found(finish(story, request))

    assert "commit before the response is sent: await session.commit() after the last write" == finding.fix


def test_a_transaction_that_nobody_ended_is_reported() -> None:
    """Its session leaks besides; that is told by another rule."""
    story, request, db = post()
    story.sql(db, INSERT)
    (finding,) = found(finish(story, request))

    assert (
        "1 write (INSERT INTO items) of POST /items → 201 was never committed: the transaction was still open when "
        "the request had ended"
    ) == finding.message


def test_garbage_collection_discards_as_well() -> None:
    """And is named."""
    story, request, db = post()
    story.sql(db, INSERT)
    story.collect(db.transactions[0].checkout)
    (finding,) = found(finish(story, request))

    assert finding.message.endswith("was discarded when garbage collection returned the connection")


def test_many_writes_are_counted_by_kind() -> None:
    """A loop is one line."""
    story, request, db = post()
    for _ in range(7):
        story.sql(db, INSERT)
    story.close(db)
    (finding,) = found(finish(story, request))

    assert finding.message.startswith("7 writes (INSERT INTO items ×7) of POST /items → 201 were discarded")
    assert "and 3 more statements" in shown(finding)


def test_a_task_with_a_session_of_its_own_is_judged_when_its_transaction_ends() -> None:
    """It ended, and nobody committed."""
    story, request, db = post(task=77)
    finish(story, request)
    story.sql(db, INSERT)
    story.close(db)

    assert 1 == len(found(story))


# A test's session in the place of the application's


def test_a_write_that_only_the_tests_session_keeps_is_reported() -> None:
    """The reason why this bug survives tests."""
    story, request, db = post(Origin.TEST)
    overriding(request, commits=False)
    story.sql(db, INSERT, during=request)
    (finding,) = found(finish(story, request))

    assert [
        "H201 1 write (INSERT INTO items) of POST /items → 201 was not committed by the request: only the test's own "
        "session kept it @ app/api.py:18 in create_item"
    ] == told([finding])


@pytest.mark.parametrize("how", ["commit", "rollback", "close"])
def test_what_the_test_does_with_its_session_afterwards_saves_nothing(how: str) -> None:
    """A fixture commits, rolls back or closes; production has no fixture."""
    story, request, db = post(Origin.TEST)
    overriding(request, commits=False)
    story.sql(db, INSERT, during=request)
    finish(story, request)
    getattr(story, how)(db)

    assert 1 == len(found(story))


def test_a_production_dependency_that_commits_is_believed() -> None:
    """The override took its commit away."""
    story, request, db = post(Origin.TEST)
    overriding(request, commits=True)
    story.sql(db, INSERT, during=request)

    assert [] == found(finish(story, request))


def test_a_test_session_without_an_override_tells_nothing() -> None:
    """What it replaces is unknown, so what that would do is too."""
    story, request, db = post(Origin.TEST)
    story.sql(db, INSERT, during=request)

    assert [] == found(finish(story, request))


@pytest.mark.parametrize("how", ["commit", "rollback"])
def test_a_test_session_that_the_request_itself_ended_is_right(how: str) -> None:
    """The application's own line did it."""
    story, request, db = post(Origin.TEST)
    overriding(request, commits=False)
    story.sql(db, INSERT, during=request)
    getattr(story, how)(db)

    assert [] == found(finish(story, request))


def test_what_a_test_left_pending_in_its_session_is_not_the_requests() -> None:
    """Only an object that was added during a request tells its line."""
    story, request, db = post(Origin.TEST)
    overriding(request, commits=False)
    story.sql(db, "SELECT * FROM items", during=request)
    for change in ("add", "change", "delete"):
        story.unflushed(db, change, "Item", "name").request = request

    assert [] == found(finish(story, request))


# What is right


@pytest.mark.parametrize("how", ["commit", "rollback"])
def test_a_commit_and_an_explicit_rollback_are_right(how: str) -> None:
    """A dry run is meant."""
    story, request, db = post()
    story.sql(db, INSERT)
    getattr(story, how)(db)
    story.close(db)

    assert [] == found(finish(story, request))


def test_a_commit_after_the_response_is_another_rules() -> None:
    """It is late, but it is there."""
    story, request, db = post()
    story.sql(db, INSERT)
    story.respond(request, 201)
    story.commit(db, at="app/db.py:9 get_db")
    story.close(db)
    story.end(request)

    assert [] == found(story)


def test_a_refused_request_may_drop_its_work() -> None:
    """It was answered with 400 or above, or an exception left the endpoint or the application."""
    for status, endpoint, app in ((404, None, None), (201, failure(), None), (201, None, failure())):
        story, request, db = post()
        story.sql(db, INSERT)
        if endpoint is not None:
            story.fail(request, endpoint)
        story.respond(request, status)
        story.close(db)
        story.end(request, app)

        assert [] == found(story)


def test_statements_that_changed_nothing_lose_nothing() -> None:
    """No row was affected, or a savepoint took it back."""
    story, request, db = post()
    story.sql(db, UPDATE, rows=0)
    story.sql(db, INSERT).undone = True
    story.close(db)

    assert [] == found(finish(story, request))


def test_an_autocommitting_connection_loses_nothing() -> None:
    """Its statements are committed as they are sent, which the listener tells by not calling them writes."""
    story, request, db = post()
    story.sql(db, INSERT).write = False
    story.close(db)

    assert [] == found(finish(story, request))


def test_a_block_that_was_left_with_an_exception_meant_it() -> None:
    """Whoever caught it answered with success."""
    story, request, db = post()
    story.sql(db, INSERT)
    story.unflushed(db, "add", "Item", at="app/api.py:17 create_item")
    story.close(db, unwinding=True)

    assert [] == found(finish(story, request))


def test_an_attempt_whose_repetition_was_committed_lost_nothing() -> None:
    """A retry loop."""
    story, request, db = post()
    story.sql(db, INSERT)
    story.close(db)
    again = story.session(request)
    story.sql(again, INSERT)
    story.commit(again)
    story.close(again)

    assert [] == found(finish(story, request))


def test_a_swallowed_error_is_another_rules() -> None:
    """What was written before it is told there."""
    story, request, db = post()
    story.sql(db, INSERT)
    db.transactions[0].failed = failure()
    story.close(db)

    assert [] == found(finish(story, request))


def test_a_task_that_goes_on_may_still_commit() -> None:
    """Its session was made by the task, and its transaction is open."""
    story, request, db = post(task=77)
    story.sql(db, INSERT)
    story.unflushed(db, "add", "Item", at="app/jobs.py:3 work")

    assert [] == found(finish(story, request))


def test_what_a_later_commit_took_along_was_not_lost() -> None:
    """It was pending when it was looked at, and committed afterwards."""
    story, request, db = post()
    story.sql(db, "SELECT * FROM items")
    story.unflushed(db, "add", "Item", at="app/api.py:17 create_item")
    finish(story, request)
    story.commit(db)

    assert [] == found(story)
