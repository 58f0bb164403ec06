"""H207: a request commits a part of its work, and fails."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.rule import Severity
from harness.detectors.transactions.partial_work import detect
from harness.observe.facts import Failure, Origin, Phase
from tests.support.tapes import VERSIONS, Story, failure, shown, told


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def order(
    error: Failure | None = None,
    *,
    rest: bool = True,
    commits: int = 1,
    own_audit: bool = False,
    origin: Origin = Origin.APPLICATION,
) -> Story:
    """A request that commits an order and fails on its payment."""
    story = Story()
    request = story.request("POST /orders", endpoint="app/api.py:15 order")
    db = story.session(request, origin=origin)
    kept = story.session(request) if own_audit else db
    for _ in range(commits):
        story.sql(kept, "INSERT INTO orders VALUES (?)", at="app/api.py:16 order")
        story.commit(kept, at="app/api.py:17 order")
    if rest:
        story.sql(db, "INSERT INTO payments VALUES (?)", at="app/api.py:19 order")
    story.fail(request, error or failure("builtins.KeyError"))
    story.respond(request, 500)
    if rest:
        story.rollback(db)
    story.end(request, error or failure("builtins.KeyError"))
    return story


def test_what_stayed_and_what_did_not_follow_is_told() -> None:
    """At the commit that came too early."""
    (finding,) = found(order())

    assert [
        "H207 POST /orders → 500 failed with KeyError after 1 commit: 1 write (INSERT INTO orders) stayed; "
        "1 later write (INSERT INTO payments) did not follow @ app/api.py:17 in order"
    ] == told([finding])
    assert Severity.INFO == finding.severity
    assert [
        "INSERT INTO orders was committed @ app/api.py:16 in order",
        "INSERT INTO payments was not @ app/api.py:19 in order",
    ] == shown(finding)


def test_several_commits_before_a_failure_are_told_without_a_rest() -> None:
    """Nothing else was tried; whether all was done is not known."""
    (finding,) = found(order(rest=False, commits=2))

    assert "POST /orders → 500 failed with KeyError after 2 commits: 2 writes (INSERT INTO orders ×2) stayed" == (
        finding.message
    )


def test_one_commit_before_a_failure_may_have_been_all() -> None:
    """Nothing was written after it."""
    assert [] == found(order(rest=False))


def test_a_deliberate_refusal_is_meant() -> None:
    """A failed login is counted, committed, and answered 401."""
    assert [] == found(order(failure("fastapi.exceptions.HTTPException", http=401)))


def test_an_audit_entry_with_a_session_of_its_own_is_meant() -> None:
    """It shall stay whatever happens."""
    assert [] == found(order(own_audit=True))


def test_a_session_of_the_test_is_not_reported() -> None:
    """Its transactions are the test's."""
    assert [] == found(order(origin=Origin.TEST))


@pytest.mark.parametrize("failed", [True, False])
def test_background_work_and_success_are_not_judged(failed: bool) -> None:
    """The request itself was done."""
    story = Story()
    request = story.request()
    story.respond(request, 201)
    story.phase(request, Phase.BACKGROUND if failed else Phase.TEARDOWN)
    db = story.session(request)
    for _ in range(2):
        story.sql(db, "INSERT INTO items VALUES (?)")
        story.commit(db)
    story.end(request, failure("builtins.KeyError") if failed else None)

    assert [] == found(story)
