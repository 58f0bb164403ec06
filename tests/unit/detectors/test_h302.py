"""H302: an attribute had to be loaded where nothing could be awaited."""

from __future__ import annotations

from harness.detectors.asynchrony.implicit_io import detect
from harness.detectors.finding import Finding
from harness.observe.facts import Origin, Phase, Request, Session
from tests.support.tapes import VERSIONS, Story, failure, place, told

MISSING = "sqlalchemy.exc.MissingGreenlet"
LINE = "app/api.py:33 author"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def author() -> tuple[Story, Request, Session]:
    """A request that has loaded an author, and is in its endpoint."""
    story = Story()
    request = story.request("GET /authors/{id}", endpoint="app/api.py:30 author", coroutine=True)
    db = story.session(request, asynchronous=True)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, "SELECT * FROM authors", at="app/api.py:31 author")
    return story, request, db


def test_a_relationship_is_named_with_the_option_that_loads_it() -> None:
    """At the line that read it."""
    story, request, _ = author()
    story.load(request, "Author.books", 1, at=LINE)
    story.fail(request, failure(MISSING, LINE, greenlet=True))
    story.respond(request, 500)
    story.end(request, failure(MISSING, LINE, greenlet=True))
    (finding,) = found(story)

    assert [
        "H302 Author.books was not loaded when GET /authors/{id} touched it outside of an await, which ended in "
        "MissingGreenlet @ app/api.py:33 in author"
    ] == told([finding])
    assert (
        'load it in the query: .options(selectinload(Author.books)); or await session.refresh(author, ["books"]) '
        "before it is touched"
    ) == finding.fix
    assert "Author.books" == finding.subject


def test_a_load_whose_statement_never_came_is_the_one() -> None:
    """Others had been loaded before, where it was allowed."""
    story, request, db = author()
    before = story.load(request, "Author.publisher", 1, at=LINE)
    story.sql(db, "SELECT * FROM publishers", loaded=before)
    story.load(request, "Author.books", 1, at=LINE)
    story.fail(request, failure(MISSING, LINE, greenlet=True))
    story.respond(request, 500)
    story.end(request)
    (finding,) = found(story)

    assert "Author.books" == finding.subject


def test_what_the_response_model_reads_is_told_at_the_endpoint() -> None:
    """FastAPI raises ResponseValidationError, which the listener reads."""
    story, request, _ = author()
    story.phase(request, Phase.SERIALIZATION)
    story.load(request, "Author.books", 1, at=None)
    story.respond(request, 500)
    story.end(request, failure("fastapi.exceptions.ResponseValidationError", greenlet=True, attribute="books"))
    (finding,) = found(story)

    assert [
        "H302 Author.books was not loaded when the response model of GET /authors/{id} touched it outside of an "
        "await, which ended in ResponseValidationError @ app/api.py:30 in author"
    ] == told([finding])


def test_a_column_that_a_commit_has_expired_needs_no_option() -> None:
    """But a factory that does not expire, or a refresh."""
    story, request, db = author()
    story.commit(db)
    story.load(request, "Author", 0, at=LINE, column=True)
    story.fail(request, failure(MISSING, LINE, greenlet=True))
    story.respond(request, 500)
    story.end(request)
    (finding,) = found(story)

    assert (
        "Author had been expired by a commit when GET /authors/{id} touched it outside of an await, which ended in "
        "MissingGreenlet"
    ) == finding.message
    assert (
        "await session.refresh(author) after the commit, "
        "or make sessions with async_sessionmaker(..., expire_on_commit=False)"
    ) == finding.fix


def test_a_deferred_column_is_undeferred() -> None:
    """No commit came before; the attribute is known."""
    story, request, _ = author()
    story.phase(request, Phase.SERIALIZATION)
    story.load(request, "Author", 0, at=None, column=True)
    story.respond(request, 500)
    story.end(request, failure("fastapi.exceptions.ResponseValidationError", greenlet=True, attribute="bio"))
    (finding,) = found(story)

    assert finding.message.startswith("Author.bio was deferred when the response model of GET /authors/{id} touched it")
    assert (
        'load it in the query: .options(undefer(Author.bio)); or await session.refresh(author, ["bio"]) '
        "before it is touched"
    ) == finding.fix


def test_a_query_that_was_not_a_load_is_told_as_one() -> None:
    """`session.sync_session.execute(…)`."""
    story, request, _ = author()
    story.fail(request, failure(MISSING, LINE, greenlet=True))
    story.respond(request, 500)
    story.end(request)
    (finding,) = found(story)

    assert [
        "H302 GET /authors/{id} sent a query outside of an await, which ended in MissingGreenlet "
        "@ app/api.py:33 in author"
    ] == told([finding])
    assert "use the methods of AsyncSession and AsyncConnection, and await them" == finding.fix


def test_a_session_of_the_test_that_expires_is_not_the_applications() -> None:
    """Production's factory may have expire_on_commit=False."""
    story = Story()
    request = story.request("GET /authors/{id}", coroutine=True)
    db = story.session(None, at="tests/conftest.py:9 session", origin=Origin.TEST, asynchronous=True)
    story.sql(db, "SELECT * FROM authors", during=request)
    story.commit(db)
    story.load(request, "Author", 0, at=LINE, column=True)
    story.fail(request, failure(MISSING, LINE, greenlet=True))
    story.respond(request, 500)
    story.end(request)

    assert [] == found(story)


def test_an_application_that_copes_is_right() -> None:
    """It caught the exception."""
    story, request, _ = author()
    story.load(request, "Author.books", 1, at=LINE)
    story.respond(request)
    story.end(request)

    assert [] == found(story)


def test_another_failure_is_another_matter() -> None:
    """`lazy="raise"` says itself what it wants."""
    story, request, _ = author()
    request.endpoint_error = failure("sqlalchemy.exc.InvalidRequestError", LINE)
    story.respond(request, 500)
    story.end(request)

    assert place(LINE) == request.endpoint_error.place
    assert [] == found(story)
