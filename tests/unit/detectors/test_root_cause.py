"""One defect is told once, by the rule that is nearest to its cause."""

from __future__ import annotations

import pytest

from harness.callsite import CallSite
from harness.detectors.catalogue import rule, runtime_detectors
from harness.detectors.finding import Finding
from harness.detectors.root_cause import merge
from tests.support.tapes import VERSIONS, Story, at


def finding(code: str, root: int | None = 1, site: CallSite | None = None) -> Finding:
    """A finding about a session."""
    return Finding(rule=rule(code), message=code, site=site, root=root)


def codes(*found: Finding) -> list[str]:
    """What is left of some findings."""
    return [one.rule.code for one in merge(found)]


@pytest.mark.parametrize(
    ("cause", "effects"),
    [
        ("H101", ["H106", "H107", "H401", "H402"]),
        ("H102", ["H101", "H103", "H104"]),
        ("H103", ["H104"]),
        ("H105", ["H106", "H107", "H401", "H407"]),
        ("H106", ["H107", "H203", "H401"]),
        ("H107", ["H401", "H402", "H404"]),
        ("H108", ["H401", "H402"]),
        ("H201", ["H202"]),
        ("H204", ["H201", "H203", "H206"]),
        ("H205", ["H207"]),
        ("H206", ["H201", "H202"]),
        ("H401", ["H404", "H407"]),
        ("H403", ["H401", "H402"]),
        ("H405", ["H407"]),
    ],
)
def test_a_cause_is_told_without_its_effects(cause: str, effects: list[str]) -> None:
    """In whatever order they were found."""
    found = [finding(effect) for effect in effects]

    assert [cause] == codes(finding(cause), *found)
    assert [cause] == codes(*found, finding(cause))


def test_effects_on_another_session_have_another_cause() -> None:
    """They are two defects."""
    assert ["H107", "H401"] == codes(finding("H107", 1), finding("H401", 2))


def test_a_finding_that_names_no_session_is_never_explained() -> None:
    """Nothing is known that it shares."""
    assert ["H107", "H401"] == codes(finding("H107", None), finding("H401", None))


def test_independent_defects_of_one_session_are_both_told() -> None:
    """A missing commit is not mended by closing, nor the other way round."""
    assert ["H201", "H401"] == codes(finding("H201"), finding("H401"))


def test_one_rule_at_several_places_stays() -> None:
    """Whoever counts them does that later."""
    assert ["H401", "H401"] == codes(finding("H401"), finding("H401"))


def test_a_commit_that_nobody_awaited_explains_what_its_function_lost() -> None:
    """The warning about the coroutine knows a line and no session."""
    create, other = at("app/api.py:20 create"), at("app/api.py:40 other")

    assert ["H303"] == codes(finding("H201", 1, at("app/api.py:19 create")), finding("H303", None, create))
    assert ["H201", "H303"] == codes(finding("H201", 1, other), finding("H303", None, create))


def test_next_get_db_is_one_finding() -> None:
    """The session is used after its close, so its connection leaks: what to mend is the first."""
    story = Story()
    request = story.request("GET /me")
    db = story.session(request)
    story.close(db)
    story.sql(db, "SELECT * FROM users")
    story.respond(request)
    story.end(request)
    found = [one for detect in runtime_detectors(["H107", "H401"]) for one in detect(story.tape, VERSIONS)]

    assert ["H107", "H401"] == [one.rule.code for one in found]
    assert ["H107"] == codes(*found)
