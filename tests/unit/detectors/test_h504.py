"""H504: an attribute is read when its object's session is closed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.detached_object import RULE, detect
from harness.observe.facts import Failure, Phase
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
        "H504 Author.books was read in GET /authors/{id} → 500 and not loaded, when the session was closed "
        "@ app/api.py:31 in author"
    ] == told([finding])
    assert [
        "the session from find_author was made here @ app/service.py:5 in find_author",
        "it was closed here @ app/service.py:5 in find_author",
        "Author.books was read here @ app/api.py:31 in author",
    ] == shown(finding)
    assert (
        "keep the session open until the response is made, or load it before: "
        ".options(selectinload(Author.books)) for a relationship, expire_on_commit=False or a refresh for a column of "
        "Author"
    ) == finding.fix


def test_what_the_response_model_reads_is_told_at_the_endpoint() -> None:
    """With as much of the name as FastAPI tells."""
    error = failure("fastapi.exceptions.ResponseValidationError", detached=True, attribute="books")
    (finding,) = found(detached(error))

    assert [
        "H504 books was read in GET /authors/{id} → 500 and not loaded, when the session was closed "
        "@ app/api.py:28 in author"
    ] == told([finding])
    assert "books was read while the response was made @ app/api.py:28 in author" == shown(finding)[-1]
    assert RULE.fix == finding.fix


def test_of_several_sessions_none_is_blamed() -> None:
    """Which one the object belonged to is not known."""
    error = failure(DETACHED, "app/api.py:31 author", detached=True, attribute="Author.books")
    (finding,) = found(detached(error, sessions=2))

    assert ["Author.books was read here @ app/api.py:31 in author"] == shown(finding)


def test_other_failures_and_success_are_silent() -> None:
    """Nothing was detached."""
    assert [] == found(detached(failure("builtins.KeyError")))
    assert [] == found(detached(None))
