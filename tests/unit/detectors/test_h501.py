"""H501: an object shows what a bulk statement has changed."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.loading.stale_object import detect
from harness.observe.facts import Origin
from harness.observe.incidents import Staleness
from tests.support.tapes import VERSIONS, Story, failure, place, told

LINE = "app/stock.py:12 sell_out"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def stale(
    *attributes: str, origin: Origin = Origin.APPLICATION, objects: int = 1, failed: bool = False, deleted: bool = False
) -> Story:
    """A bulk statement after which objects still show old values."""
    story = Story()
    request = story.request("POST /sale", endpoint="app/api.py:9 sale")
    db = story.session(request, origin=origin)
    for _ in range(objects):
        db.stale.append(Staleness("Item", attributes, deleted, "items", place(LINE), request))
    if failed:
        story.fail(request, failure())
    story.respond(request)
    story.end(request)
    return story


def test_a_proved_difference_is_reported_at_the_bulk_statement() -> None:
    """Which attributes, of how many objects; never the values."""
    (finding,) = found(stale("stock", "price", objects=2))

    assert [
        "H501 Item.stock and Item.price of 2 loaded objects still had the old value when POST /sale was done, after a "
        "bulk statement on items @ app/stock.py:12 in sell_out"
    ] == told([finding])
    assert (
        "let the session from get_db know: leave out synchronize_session=False, "
        "or session.refresh(...) after the statement"
    ) == finding.fix


def test_an_object_whose_row_is_gone_is_told_so() -> None:
    """The session still believes in it."""
    (finding,) = found(stale(deleted=True))

    assert (
        "1 loaded Item object still stood for a deleted row when POST /sale was done, after a bulk statement on items"
        == finding.message
    )
    assert (
        "let the session from get_db know: leave out synchronize_session=False, or session.expunge(...) the object"
        == finding.fix
    )


def test_without_a_proof_nothing_is_said() -> None:
    """`synchronize_session=False` alone is no defect."""
    assert [] == found(stale("stock", objects=0))


def test_a_request_that_failed_showed_nothing() -> None:
    """Its endpoint raised."""
    assert [] == found(stale("stock", failed=True))


def test_a_session_of_the_test_is_not_reported() -> None:
    """The test may have loaded the object."""
    assert [] == found(stale("stock", origin=Origin.TEST))
