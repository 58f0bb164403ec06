"""H503: one statement for each object, while the response is made."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.lazy_loads_in_serialization import detect
from harness.observe.facts import Origin, Phase
from tests.support.tapes import VERSIONS, Story, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def serialized(
    parents: int,
    phase: Phase = Phase.SERIALIZATION,
    *,
    recursive: bool = False,
    origin: Origin = Origin.APPLICATION,
    refreshed: bool = False,
) -> Story:
    """A response model that reads a relationship of each object."""
    story = Story()
    request = story.request("GET /authors", endpoint="app/api.py:28 list_authors")
    db = story.session(request, origin=origin)
    story.sql(db, "SELECT * FROM authors")
    story.phase(request, phase)
    for parent in range(parents):
        if refreshed:
            story.sql(db, "SELECT * FROM authors", loaded=story.load(request, "Author", 0, at=None, column=True))
        load = story.load(request, "Author.books", parent, at=None, recursive=recursive)
        story.sql(db, "SELECT * FROM books", loaded=load)
    story.respond(request)
    story.end(request)
    return story


def test_what_the_response_loads_one_by_one_is_reported_at_the_endpoint() -> None:
    """No line of the application reads it."""
    (finding,) = found(serialized(3))

    assert [
        "H503 the response model of GET /authors loaded Author.books one by one: 3 statements for 3 objects, of 4 in "
        "all @ app/api.py:28 in list_authors"
    ] == told([finding])
    assert (
        "load it with the query: .options(selectinload(Author.books)); or leave it out of the response model"
        == finding.fix
    )


def test_one_object_is_no_repetition() -> None:
    """It needs the statement."""
    assert [] == found(serialized(1))


def test_a_tree_is_climbed_as_it_must() -> None:
    """Parent and child are of one class."""
    assert [] == found(serialized(3, recursive=True))


def test_what_a_commit_made_it_load_again_was_not_touched() -> None:
    """Eager relationships follow the columns of each expired object."""
    assert [] == found(serialized(3, refreshed=True))


def test_what_a_tests_session_loads_is_not_reported() -> None:
    """The test may have expired or emptied it."""
    assert [] == found(serialized(3, origin=Origin.TEST))


def test_the_endpoints_own_reading_is_another_rules() -> None:
    """Its line is known."""
    assert [] == found(serialized(3, Phase.ENDPOINT))
