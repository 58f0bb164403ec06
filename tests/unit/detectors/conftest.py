"""What holds for every tape that is written here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.detectors.catalogue import all_rules, runtime_detectors
from harness.detectors.signs import signs_of
from tests.support.tapes import VERSIONS, Story


@pytest.fixture(autouse=True)
def a_rule_that_finds_something_is_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tape on which a rule finds something shows one of the rule's signs."""
    written: list[Story] = []
    make = Story.__init__

    def remembered(story: Story, *given: Any, **named: Any) -> None:
        make(story, *given, **named)
        written.append(story)

    monkeypatch.setattr(Story, "__init__", remembered)
    yield
    codes = [rule.code for rule in all_rules()]
    for tape in (story.tape for story in written):
        asked = runtime_detectors(codes, signs_of(tape))
        unasked = [detect for detect in runtime_detectors(codes) if detect not in asked]
        assert [] == [finding.rule.code for detect in unasked for finding in detect(tape, VERSIONS)]
