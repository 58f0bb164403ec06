"""H902: a listener of harness was switched off."""

from __future__ import annotations

from harness.detectors.upkeep.listener_disabled import detect
from harness.detectors.versions import Versions
from harness.observe.incidents import Disabled
from tests.support.tapes import VERSIONS, Story, told


def test_each_listener_is_told_with_its_reason() -> None:
    """And with the versions that a report of it needs."""
    story = Story()
    story.tape.disabled.append(Disabled("Sessions.begin", "AttributeError at line 7 of Sessions.begin"))
    (finding,) = detect(story.tape, VERSIONS)

    assert [
        "H902 the listener Sessions.begin was switched off after AttributeError at line 7 of Sessions.begin @ None"
    ] == told([finding])
    assert "report it to harness with this message, SQLAlchemy 2.1.9 and FastAPI 0.165.0" == finding.fix


def test_an_application_without_fastapi_has_none_to_report() -> None:
    """It may be Starlette's alone."""
    story = Story()
    story.tape.disabled.append(Disabled("Sessions.begin", "AttributeError"))
    (finding,) = detect(story.tape, Versions((), (2, 1, 9)))

    assert finding.fix.endswith("FastAPI (not installed)")


def test_listeners_that_work_are_not_mentioned() -> None:
    """Nothing was switched off."""
    assert [] == list(detect(Story().tape, VERSIONS))
