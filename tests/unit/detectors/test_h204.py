"""H204: a commit that fails when the client has its success."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.transactions.commit_failed_after_response import detect
from harness.detectors.versions import Versions
from harness.observe.facts import Origin, Phase
from tests.support.tapes import VERSIONS, Story, failure, shown, told

COMMIT = "app/db.py:9 get_db"
INSERT = "INSERT INTO items (name) VALUES (?)"


def found(story: Story, versions: Versions = VERSIONS) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, versions))


def duplicate(status: int = 201, origin: Origin = Origin.APPLICATION, *, flushed: bool = True) -> Story:
    """A request whose dependency commits in its exit, which fails."""
    story = Story()
    request = story.request()
    db = story.session(request, origin=origin)
    if flushed:
        story.sql(db, INSERT)
    story.respond(request, status)
    if not flushed:
        story.sql(db, INSERT, at=COMMIT, fails=True)
    story.fail_commit(db, at=COMMIT)
    story.close(db)
    story.end(request, failure(at=COMMIT))
    return story


@pytest.mark.parametrize("flushed", [True, False], ids=["the commit itself", "its flush"])
def test_a_commit_that_failed_after_success_is_reported_where_it_stands(flushed: bool) -> None:
    """What the client was told, what went wrong, and what is lost."""
    (finding,) = found(duplicate(flushed=flushed))

    assert [
        "H204 POST /items was answered 201, then its commit failed with IntegrityError: "
        "1 write (INSERT INTO items) was lost @ app/db.py:9 in get_db"
    ] == told([finding])
    assert "the session from get_db was made here @ app/db.py:8 in get_db" == shown(finding)[-1]


def test_an_error_that_the_dependency_keeps_to_itself_is_reported_too() -> None:
    """It rolled back; the client still believes its 201."""
    story = duplicate()
    story.tape.requests[0].error = None
    (finding,) = found(story)

    assert "POST /items was answered 201, then its commit failed: 1 write (INSERT INTO items) was lost" == (
        finding.message
    )


def test_a_core_connection_of_a_dependency_is_no_better() -> None:
    """`with engine.begin() as connection: yield connection`."""
    story = Story()
    request = story.request()
    connection = story.checkout(request, at="app/db.py:15 get_connection")
    story.sql(connection, INSERT)
    story.respond(request, 201)
    story.fail_commit(connection, at="app/db.py:15 get_connection")
    story.close(connection)
    story.end(request, failure())

    assert [
        "H204 POST /items was answered 201, then its commit failed with IntegrityError: "
        "1 write (INSERT INTO items) was lost @ app/db.py:15 in get_connection"
    ] == told(found(story))


@pytest.mark.parametrize(
    ("fastapi", "fix"),
    [
        (
            (0, 165, 0),
            'let the dependency end before the response: Depends(..., scope="function"), or commit in the endpoint',
        ),
        (
            (0, 118, 0),
            "commit in the endpoint: this FastAPI runs code after a dependency's yield when the response is out",
        ),
        (
            (0, 115, 0),
            "commit before the response is sent: inside the endpoint, or in a dependency that ends before it",
        ),
    ],
)
def test_the_remedy_fits_the_installed_fastapi(fastapi: tuple[int, ...], fix: str) -> None:
    """`scope` came with 0.121; 0.106 to 0.117 ran the exit before the response."""
    (finding,) = found(duplicate(), Versions(fastapi, (2, 1, 9)))

    assert fix == finding.fix


def test_a_commit_that_failed_before_the_response_reached_the_client() -> None:
    """It was answered 500."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, INSERT)
    story.fail_commit(db)
    story.close(db)
    story.respond(request, 500)
    story.end(request, failure())

    assert [] == found(story)


def test_a_refused_request_promised_nothing() -> None:
    """It was answered with 400 or above."""
    assert [] == found(duplicate(404))


def test_a_session_of_the_test_is_not_reported() -> None:
    """The override's commit is not production's."""
    assert [] == found(duplicate(origin=Origin.TEST))


@pytest.mark.parametrize("phase", [Phase.BACKGROUND, Phase.TEARDOWN], ids=["task", "stream"])
def test_a_session_that_began_after_the_response_promised_nothing(phase: Phase) -> None:
    """A background task's, or a streamed body's own."""
    story = Story()
    request = story.request()
    story.respond(request, 201)
    story.phase(request, phase)
    db = story.session(request, at="app/jobs.py:4 work")
    story.sql(db, INSERT)
    story.fail_commit(db)
    story.close(db)
    story.end(request, failure())

    assert [] == found(story)


def test_a_commit_that_succeeds_late_is_another_rules() -> None:
    """It is late, but nothing is lost."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, INSERT)
    story.respond(request, 201)
    story.commit(db, at=COMMIT)
    story.close(db)
    story.end(request)

    assert [] == found(story)


def test_a_late_commit_of_nothing_loses_nothing() -> None:
    """The request only read."""
    story = Story()
    request = story.request("GET /items")
    db = story.session(request)
    story.sql(db, "SELECT * FROM items")
    story.respond(request)
    story.fail_commit(db, at=COMMIT)
    story.close(db)
    story.end(request, failure("sqlalchemy.exc.OperationalError"))

    assert [] == found(story)
