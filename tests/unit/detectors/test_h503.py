"""H503: one statement for each object, while the response is made."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.lazy_loads_in_serialization import detect
from harness.observe.facts import Phase
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def serialized(parents: int, phase: Phase = Phase.SERIALIZATION, *, recursive: bool = False) -> Story:
    """A response model that reads a relationship of each object."""
    story = Story()
    request = story.request("GET /authors", endpoint="app/api.py:28 list_authors")
    story.phase(request, phase)
    for parent in range(parents):
        story.load(request, "Author.books", parent, at=None, recursive=recursive)
    story.respond(request)
    story.end(request)
    return story


def test_what_the_response_loads_one_by_one_is_reported_at_the_endpoint() -> None:
    """No line of the application reads it."""
    (finding,) = found(serialized(3))

    assert [
        "H503 Author.books was loaded for 3 objects one by one while the response of GET /authors → 200 was made: "
        "3 statements instead of 1 @ app/api.py:28 in list_authors"
    ] == told([finding])
    assert ["the response model reads Author.books of each object @ app/api.py:28 in list_authors"] == shown(finding)
    assert "load it with its parents: .options(selectinload(Author.books))" == finding.fix


def test_one_object_is_no_repetition() -> None:
    """It needs the statement."""
    assert [] == found(serialized(1))


def test_a_tree_is_climbed_as_it_must() -> None:
    """Parent and child are of one class."""
    assert [] == found(serialized(3, recursive=True))


def test_the_endpoints_own_reading_is_another_rules() -> None:
    """Its line is known."""
    assert [] == found(serialized(3, Phase.ENDPOINT))
