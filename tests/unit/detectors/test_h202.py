"""H202: attributes that were changed and never committed."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.detectors.transactions.changes_never_committed import detect
from harness.observe.facts import Origin
from tests.support.tapes import VERSIONS, Story, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def renamed(
    line: str = "PATCH /users/{id}",
    *,
    status: int = 200,
    committed: bool = False,
    origin: Origin = Origin.APPLICATION,
    wrote: bool = False,
) -> Story:
    """A request that changes attributes of a loaded object."""
    story = Story()
    request = story.request(line, endpoint="app/api.py:30 rename")
    db = story.session(request, origin=origin)
    story.sql(db, "SELECT * FROM users")
    if committed:
        story.commit(db)
        story.begin(db)
    if wrote:
        story.sql(db, "INSERT INTO log VALUES (?)")
    story.respond(request, status)
    story.unflushed(db, "change", "User", "name", "email")
    story.close(db)
    story.end(request)
    return story


def test_changes_that_were_only_shown_are_reported() -> None:
    """Which attributes, at the endpoint: no line is known that changed them."""
    (finding,) = found(renamed())

    assert [
        "H202 2 changed attributes (User.name, User.email) of PATCH /users/{id} → 200 were never committed "
        "@ app/api.py:30 in rename"
    ] == told([finding])
    assert Severity.WARNING == finding.severity
    assert [
        "the session from get_db was made here @ app/db.py:8 in get_db",
        "it was closed here, without a commit @ app/db.py:10 in get_db",
    ] == shown(finding)


@pytest.mark.parametrize("story", [renamed("GET /users/{id}"), renamed(committed=True)], ids=["GET", "after a commit"])
def test_what_is_probably_meant_is_a_remark(story: Story) -> None:
    """A password that is blanked for the response."""
    (finding,) = found(story)

    assert Severity.INFO == finding.severity


def test_lost_writes_are_the_other_rules() -> None:
    """The same commit is missing."""
    assert [] == found(renamed(wrote=True))


def test_a_refused_request_may_forget_its_changes() -> None:
    """It was answered with 400 or above."""
    assert [] == found(renamed(status=422))


def test_a_session_of_the_test_is_not_judged() -> None:
    """Whose change it holds cannot be told."""
    assert [] == found(renamed(origin=Origin.TEST))


def test_a_change_of_nothing_is_none() -> None:
    """SQLAlchemy calls an object modified whose values are the same."""
    story = renamed()
    story.tape.sessions[0].unflushed[0].attributes = ()

    assert [] == found(story)
