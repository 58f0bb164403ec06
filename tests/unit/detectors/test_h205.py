"""H205: what a failed request had done is committed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.transactions.commit_on_error import detect, inspect
from harness.graph.facts import AppGraph, Dependency, ExitCommit, Function
from harness.observe.facts import Failure, Origin
from tests.support.tapes import VERSIONS, Story, at, place, told

CONFLICT = Failure("fastapi.exceptions.HTTPException", http=409, place=place("app/api.py:22 take"))


def failed(status: int = 409, failure: Failure = CONFLICT, origin: Origin = Origin.APPLICATION) -> Story:
    """A request that wrote, raised, and was committed."""
    story = Story()
    request = story.request("POST /orders")
    db = story.session(request, origin=origin)
    story.sql(db, "UPDATE items SET stock = ?", at="app/api.py:20 take")
    story.fail(request, failure)
    story.respond(request, status)
    story.commit(db, at="app/db.py:9 get_db")
    story.close(db)
    story.end(request)
    return story


def met(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def test_writes_that_are_committed_after_the_endpoint_raised_are_reported() -> None:
    """With what was raised and what was written."""
    (finding,) = met(failed())

    assert [
        "H205 POST /orders raised HTTPException, and 1 write of it (UPDATE items) was committed all the same "
        "@ app/db.py:9 in get_db"
    ] == told([finding])
    assert ["UPDATE items", "HTTPException was raised"] == [piece.text for piece in finding.evidence]


def test_a_commit_before_the_exception_is_meant() -> None:
    """As of a failed login that is counted."""
    story = Story()
    request = story.request("POST /login")
    db = story.session(request)
    story.sql(db, "UPDATE users SET failures = failures + 1")
    story.commit(db)
    story.fail(request, Failure("fastapi.exceptions.HTTPException", http=401))
    story.respond(request, 401)
    story.end(request)

    assert [] == met(story)


def test_an_exception_handler_may_write_in_a_session_of_its_own() -> None:
    """It was made after the exception."""
    story = Story()
    request = story.request()
    story.fail(request, CONFLICT)
    db = story.session(request, at="app/errors.py:5 log_error")
    story.sql(db, "INSERT INTO errors VALUES (1)")
    story.commit(db)
    story.respond(request, 409)
    story.end(request)

    assert [] == met(story)


def test_what_is_written_after_a_rollback_is_not_the_endpoints() -> None:
    """The dependency rolls back, and then records the failure."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, "UPDATE items SET stock = ?")
    story.fail(request, CONFLICT)
    story.rollback(db)
    story.sql(db, "INSERT INTO failures VALUES (1)")
    story.commit(db)
    story.respond(request, 409)
    story.end(request)

    assert [] == met(story)


def test_an_exception_that_is_no_failure_may_be_committed() -> None:
    """A redirect is raised by some; others answer with success in a handler."""
    assert [] == met(failed(303, Failure("fastapi.exceptions.HTTPException", http=303)))
    assert [] == met(failed(200, Failure("shop.errors.Done")))


def test_a_session_of_the_tests_is_the_tests_business() -> None:
    """It takes the place of a dependency that may be right."""
    assert [] == met(failed(origin=Origin.TEST))


def test_the_source_shows_it_at_the_same_place() -> None:
    """Only where the commit also follows a failure."""
    commits = tuple(
        ExitCommit(site=at(f"app/db.py:{line} get_db"), block=False, after_error=line == 9) for line in (8, 9)
    )
    function = Function(name="app.db.get_db", site=at("app/db.py:5 get_db"), commits=commits)
    read = AppGraph(dependencies=(Dependency(name="app.db.get_db", site=function.site, function=function),))
    (finding,) = inspect(read, VERSIONS)

    assert ["H205 get_db commits in its finally, so also when the endpoint raised @ app/db.py:9 in get_db"] == (
        told([finding])
    )
    assert met(failed())[0].site == finding.site
    assert met(failed())[0].subject == finding.subject
