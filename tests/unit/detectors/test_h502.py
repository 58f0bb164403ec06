"""H502: one statement for each object, in the endpoint."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.lazy_loads_in_endpoint import detect
from harness.observe.facts import Origin, Phase, Request, Session
from tests.support.tapes import VERSIONS, Story, shown, told

LINE = "app/api.py:30 list_authors"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def listing(origin: Origin = Origin.APPLICATION) -> tuple[Story, Request, Session]:
    """A request in its endpoint, which has read its authors."""
    story = Story()
    request = story.request("GET /authors", endpoint="app/api.py:28 list_authors")
    db = story.session(request, origin=origin)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, "SELECT * FROM authors", at="app/api.py:29 list_authors")
    return story, request, db


def touch(
    story: Story, request: Request, db: Session, attribute: str, parent: int, *, at: str = LINE, recursive: bool = False
) -> None:
    """Touch a relationship that was not loaded."""
    load = story.load(request, attribute, parent, at=at, recursive=recursive)
    story.sql(db, "SELECT * FROM books WHERE author_id = ?", at=at, loaded=load)


def finish(story: Story, request: Request) -> Story:
    """Answer, and return."""
    story.respond(request)
    story.end(request)
    return story


def test_a_relationship_of_several_objects_is_reported_at_the_line_that_touched_it() -> None:
    """How many objects and statements, and the option that loads them together."""
    story, request, db = listing()
    for parent in range(12):
        touch(story, request, db, "Author.books", parent)
    (finding,) = found(finish(story, request))

    assert [
        "H502 Author.books was loaded one by one in GET /authors: 12 statements for 12 objects, of 13 in all "
        "@ app/api.py:30 in list_authors"
    ] == told([finding])
    assert [*["SELECT FROM books @ app/api.py:30 in list_authors"] * 4, "and 8 more statements"] == shown(finding)
    assert "load it with the query: .options(selectinload(Author.books))" == finding.fix
    assert "Author.books" == finding.subject


def test_two_relationships_are_two_findings() -> None:
    """Each needs an option of its own."""
    story, request, db = listing()
    for parent in range(2):
        touch(story, request, db, "Author.books", parent)
        touch(story, request, db, "Author.prizes", parent)

    assert ["Author.books", "Author.prizes"] == [finding.subject for finding in found(finish(story, request))]


def test_one_object_is_no_repetition() -> None:
    """However often it was loaded."""
    story, request, db = listing()
    touch(story, request, db, "Author.books", 1)
    touch(story, request, db, "Author.books", 1)

    assert [] == found(finish(story, request))


def test_different_lines_are_no_repetition() -> None:
    """Each loads for one object."""
    story, request, db = listing()
    touch(story, request, db, "Author.books", 1)
    touch(story, request, db, "Author.books", 2, at="app/api.py:35 list_authors")

    assert [] == found(finish(story, request))


def test_a_tree_is_climbed_as_it_must() -> None:
    """Parent and child are of one class."""
    story, request, db = listing()
    for parent in range(3):
        touch(story, request, db, "Node.children", parent, recursive=True)

    assert [] == found(finish(story, request))


def test_columns_are_no_repetition() -> None:
    """They follow a change, or were deferred on purpose."""
    story, request, db = listing()
    for _ in range(3):
        load = story.load(request, "Author", 0, column=True)
        story.sql(db, "SELECT name FROM authors", loaded=load)

    assert [] == found(finish(story, request))


def test_what_a_refresh_loads_again_was_not_touched() -> None:
    """Its columns come first, then its eager relationships, on the same line."""
    story, request, db = listing()
    for parent in (1, 2):
        load = story.load(request, "Author", 0, at=LINE, column=True)
        story.sql(db, "SELECT * FROM authors", loaded=load)
        touch(story, request, db, "Author.books", parent)

    assert [] == found(finish(story, request))


def test_a_load_that_sent_nothing_is_none() -> None:
    """An AsyncSession does not load by itself."""
    story, request, _ = listing()
    for parent in (1, 2):
        story.load(request, "Author.books", parent)

    assert [] == found(finish(story, request))


def test_objects_that_the_request_has_made_come_from_no_query() -> None:
    """There is none to which an option could be given."""
    story, request, db = listing()
    for parent in (1, 2):
        load = story.load(request, "Author.books", parent, at=LINE, created=True)
        story.sql(db, "SELECT * FROM books WHERE author_id = ?", at=LINE, loaded=load)

    assert [] == found(finish(story, request))


def test_what_a_tests_session_loads_is_not_reported() -> None:
    """The test may have expired or emptied it."""
    story, request, db = listing(Origin.TEST)
    for parent in (1, 2):
        touch(story, request, db, "Author.books", parent)

    assert [] == found(finish(story, request))


def test_serialisation_is_another_rules() -> None:
    """No line of the endpoint reads it."""
    story, request, db = listing()
    story.phase(request, Phase.SERIALIZATION)
    for parent in (1, 2):
        touch(story, request, db, "Author.books", parent)

    assert [] == found(finish(story, request))
