"""H206: a database error that was caught and not answered with a rollback."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.detectors.transactions.error_swallowed import detect
from harness.observe.facts import Origin, Request, Session
from tests.support.tapes import VERSIONS, Story, failure, shown, told

INSERT = "INSERT INTO items (name) VALUES (?)"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def swallowed(
    kind: str = "IntegrityError", origin: Origin = Origin.APPLICATION, *, wrote: bool = False
) -> tuple[Story, Request, Session]:
    """A flush that failed, whose exception went no further."""
    story = Story()
    request = story.request()
    db = story.session(request, origin=origin)
    if wrote:
        story.sql(db, "INSERT INTO orders VALUES (?)", at="app/api.py:16 create_item")
    story.sql(db, INSERT, fails=True)
    db.transactions[-1].failed = failure(f"sqlalchemy.exc.{kind}", "app/api.py:18 create_item")
    return story, request, db


def finish(story: Story, request: Request, db: Session, status: int = 200, *, unwinding: bool = False) -> Story:
    """Answer, close and return."""
    story.respond(request, status)
    story.close(db, unwinding=unwinding)
    story.end(request)
    return story


def test_a_success_that_hides_a_failed_flush_is_reported_at_the_flush() -> None:
    """What failed, what was answered, and what was lost with it."""
    (finding,) = found(finish(*swallowed(wrote=True)))

    assert [
        "H206 IntegrityError of INSERT INTO items was swallowed without a rollback: POST /items was answered 200, "
        "and 1 earlier write (INSERT INTO orders) was lost with it @ app/api.py:18 in create_item"
    ] == told([finding])
    assert Severity.ERROR == finding.severity
    assert [
        "INSERT INTO items failed here @ app/api.py:18 in create_item",
        "INSERT INTO orders had been sent here @ app/api.py:16 in create_item",
        "the session was closed here, without a rollback @ app/db.py:10 in get_db",
    ] == shown(finding)


def test_a_duplicate_that_cost_nothing_else_is_a_warning() -> None:
    """`except IntegrityError: return "exists already"` may be meant."""
    (finding,) = found(finish(*swallowed()))

    assert (
        "IntegrityError of INSERT INTO items was swallowed without a rollback: POST /items was answered 200"
        == finding.message
    )
    assert Severity.WARNING == finding.severity


def test_any_other_database_error_is_an_error() -> None:
    """Nobody means a wrong value or a lost connection."""
    (finding,) = found(finish(*swallowed("DataError")))

    assert Severity.ERROR == finding.severity


def test_a_rollback_in_the_handler_and_a_savepoint_are_right() -> None:
    """Both take the failure back, which the listener tells by forgetting it."""
    story, request, db = swallowed()
    db.transactions[-1].failed = None
    story.rollback(db)

    assert [] == found(finish(story, request, db))


def test_a_request_that_says_so_is_right() -> None:
    """5xx, and the session closed at once."""
    assert [] == found(finish(*swallowed(), status=503))


def test_a_sessions_own_block_that_the_exception_left_is_right() -> None:
    """`try: with SessionLocal() as db: … except IntegrityError`."""
    assert [] == found(finish(*swallowed(), unwinding=True))


def test_a_repetition_that_was_committed_is_right() -> None:
    """A retry loop, each attempt with a session of its own."""
    story, request, db = swallowed()
    story.close(db)
    again = story.session(request)
    story.sql(again, INSERT)
    story.commit(again)

    assert [] == found(finish(story, request, again))


def test_a_session_of_the_test_is_not_reported() -> None:
    """The override may handle it in another way than production."""
    assert [] == found(finish(*swallowed(origin=Origin.TEST)))
