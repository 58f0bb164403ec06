"""H502: one statement for each object, in the endpoint."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.lazy_loads_in_endpoint import detect
from harness.observe.facts import Phase, Request
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def listing() -> tuple[Story, Request]:
    """A request in its endpoint."""
    story = Story()
    request = story.request("GET /authors", endpoint="app/api.py:28 list_authors")
    story.phase(request, Phase.ENDPOINT)
    return story, request


def finish(story: Story, request: Request) -> Story:
    """Answer, and return."""
    story.respond(request)
    story.end(request)
    return story


def test_a_relationship_of_several_objects_is_reported_at_the_line_that_read_it() -> None:
    """How many objects and statements, and the option that loads them together."""
    story, request = listing()
    for parent in range(12):
        story.load(request, "Author.books", parent)
    (finding,) = found(finish(story, request))

    assert [
        "H502 Author.books was loaded for 12 objects one by one in GET /authors → 200: 12 statements instead of 1 "
        "@ app/api.py:30 in list_authors"
    ] == told([finding])
    assert ["this line read Author.books of each object @ app/api.py:30 in list_authors"] == shown(finding)
    assert "load it with its parents: .options(selectinload(Author.books))" == finding.fix
    assert "Author.books" == finding.subject


def test_two_relationships_are_two_findings() -> None:
    """Each needs an option of its own."""
    story, request = listing()
    for parent in range(2):
        story.load(request, "Author.books", parent)
        story.load(request, "Author.prizes", parent)

    assert ["Author.books", "Author.prizes"] == [finding.subject for finding in found(finish(story, request))]


def test_one_object_is_no_repetition() -> None:
    """However often it was loaded."""
    story, request = listing()
    story.load(request, "Author.books", 1)
    story.load(request, "Author.books", 1)

    assert [] == found(finish(story, request))


def test_different_lines_are_no_repetition() -> None:
    """Each loads for one object."""
    story, request = listing()
    story.load(request, "Author.books", 1, at="app/api.py:30 list_authors")
    story.load(request, "Author.books", 2, at="app/api.py:35 list_authors")

    assert [] == found(finish(story, request))


def test_a_tree_is_climbed_as_it_must() -> None:
    """Parent and child are of one class."""
    story, request = listing()
    for parent in range(3):
        story.load(request, "Node.children", parent, recursive=True)

    assert [] == found(finish(story, request))


def test_expired_columns_and_refused_loads_are_no_repetition() -> None:
    """The first follow a change; the second never happened."""
    story, request = listing()
    db = story.session(request)
    story.sql(db, "UPDATE authors SET seen = 1")
    story.commit(db)
    for parent in (1, 2):
        story.load(request, "Author", 0, column=True)
        story.load(request, "Author.name", parent, column=True)
        story.load(request, "Author.books", parent, refused=True)

    assert [] == found(finish(story, request))


def test_serialisation_is_another_rules() -> None:
    """No line of the endpoint reads it."""
    story, request = listing()
    story.phase(request, Phase.SERIALIZATION)
    for parent in range(2):
        story.load(request, "Author.books", parent, at=None)

    assert [] == found(finish(story, request))
