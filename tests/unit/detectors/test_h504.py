"""H504: an attribute is read when its object's session is closed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.detached_object import detect
from harness.observe.facts import Failure, Overridden, Phase
from tests.support.tapes import VERSIONS, Story, failure, shown, told

DETACHED = "sqlalchemy.orm.exc.DetachedInstanceError"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def detached(error: Failure | None, *, in_endpoint: bool = False, sessions: int = 1) -> Story:
    """A service closes its session and gives its object back."""
    story = Story()
    request = story.request("GET /authors/{id}", endpoint="app/api.py:28 author")
    for _ in range(sessions):
        db = story.session(request, at="app/service.py:5 find_author")
        story.sql(db, "SELECT * FROM authors", at="app/service.py:6 find_author")
        story.close(db, at="app/service.py:5 find_author")
    if error is not None and in_endpoint:
        story.fail(request, error)
    else:
        story.phase(request, Phase.SERIALIZATION)
    story.respond(request, 500 if error else 200)
    story.end(request, error)
    return story


def test_the_reading_line_and_the_closing_line_are_told() -> None:
    """They are far apart, and neither is in SQLAlchemy's message."""
    error = failure(DETACHED, "app/api.py:31 author", detached=True, attribute="Author.books")
    (finding,) = found(detached(error, in_endpoint=True))

    assert [
        "H504 Author.books was read for GET /authors/{id} after the session from find_author had been closed, which "
        "ended in DetachedInstanceError @ app/api.py:31 in author"
    ] == told([finding])
    assert ["it was closed here @ app/service.py:5 in find_author"] == shown(finding)
    assert (
        "load it before the session is closed: .options(selectinload(Author.books)); "
        "or close the session later, in a dependency after its yield"
    ) == finding.fix


def test_what_the_response_model_reads_is_told_at_the_endpoint() -> None:
    """With as much of the name as FastAPI tells."""
    error = failure("fastapi.exceptions.ResponseValidationError", detached=True, attribute="books")
    (finding,) = found(detached(error))

    assert [
        "H504 books was read for the response of GET /authors/{id} after the session from find_author had been "
        "closed, which ended in ResponseValidationError @ app/api.py:28 in author"
    ] == told([finding])
    assert (
        "load books before the session is closed, with selectinload or session.refresh; "
        "or close the session later, in a dependency after its yield"
    ) == finding.fix


def test_an_expired_column_has_no_name() -> None:
    """SQLAlchemy does not tell it."""
    (finding,) = found(detached(failure(DETACHED, "app/api.py:31 author", detached=True), in_endpoint=True))

    assert finding.message.startswith("an expired attribute was read for GET /authors/{id} after the session from")
    assert finding.fix.startswith("make the session with expire_on_commit=False, or refresh the object before")


def test_an_object_that_a_test_put_in_is_the_tests() -> None:
    """An overridden dependency gives it; no session of the application was closed."""
    error = failure(DETACHED, "app/api.py:31 author", detached=True, attribute="Author.books")
    story = detached(error, sessions=0)
    story.tape.requests[0].overridden.append(Overridden("app.auth.current_user", None, commits=False))

    assert [] == found(story)


def test_other_failures_and_success_are_silent() -> None:
    """Nothing was detached."""
    assert [] == found(detached(failure("builtins.KeyError")))
    assert [] == found(detached(None))
