"""H901: an allowance that allows nothing."""

from __future__ import annotations

import pytest

from harness.detectors.upkeep.unused_allowance import unused_allowance
from tests.support.tapes import at, told


@pytest.mark.parametrize(
    ("kind", "text", "where", "message", "fix"),
    [
        (
            "marker",
            "allow=['H301']",
            "tests/test_a.py::test_b",
            "the marker's allow=['H301'] of tests/test_a.py::test_b accepts nothing: no such finding arose",
            "remove it",
        ),
        (
            "comment",
            "# harness: allow[H301]",
            "app/api.py:7",
            "the comment # harness: allow[H301] accepts nothing: no such finding arose",
            "remove it",
        ),
        (
            "ini",
            "H301:app/legacy/*",
            "harness_allow",
            "H301:app/legacy/* in harness_allow accepts nothing: no such finding arose",
            "remove the pattern from harness_allow",
        ),
        (
            "baseline",
            "0123456789abcdef (H301 app/api.py)",
            "baseline.json",
            "the entry 0123456789abcdef (H301 app/api.py) of baseline.json accepts nothing: no such finding arose",
            "run once with --harness-baseline-update",
        ),
    ],
)
def test_every_kind_is_told_in_its_own_words(kind: str, text: str, where: str, message: str, fix: str) -> None:
    """What it is, where it stands, and how to get rid of it."""
    finding = unused_allowance(kind, text, where, None)

    assert (message, fix) == (finding.message, finding.fix)


def test_a_line_of_code_is_pointed_at() -> None:
    """A comment is found by its place."""
    finding = unused_allowance("comment", "# harness: allow[H301]", "app/api.py:7", at("app/api.py:7 items"))

    assert [
        "H901 the comment # harness: allow[H301] accepts nothing: no such finding arose @ app/api.py:7 in items"
    ] == told([finding])


def test_two_allowances_of_one_text_are_two_findings() -> None:
    """They stand in different places."""
    one, other = (unused_allowance("marker", "allow=['H301']", where, None) for where in ("test_a", "test_b"))

    assert one.subject != other.subject
