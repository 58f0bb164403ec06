"""Each pitfall is found where its comment says, with its message and nothing else; its corrected twin is silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.detectors.versions import installed
from sample_app.pitfalls.catalogue import PAIRS
from sample_app.pitfalls.pair import BOTH, Mark, Pair, Side, Variant
from tests.pitfalls.runs import Outcome, Told, assert_reads, worded

Drive = Callable[[Variant], Outcome]

#: H901 speaks of the whole suite, H904 of servers only: they have tests of their own.
DRIVEN = [pair for pair in PAIRS if pair.steps and pair.code not in ("H901", "H904")]
each_variant = pytest.mark.parametrize(
    ("pair", "variant"),
    [pytest.param(pair, variant, id=f"{pair.name}-{variant}") for pair in DRIVEN for variant in pair.variants],
)


def of(outcome: Outcome, pair: Pair, variant: Variant, side: Side) -> list[Told]:
    """Return what was met in the test of one side."""
    test = f"::test_{variant}[{pair.name}-{side}]"
    return [told for told in outcome.findings if told.test.endswith(test)]


def applies(mark: Mark) -> bool:
    """Tell whether the installed FastAPI ends dependencies after the response, for the rules that are about that."""
    return mark.code not in ("H203", "H204", "H407") or installed().exits_after_response


@pytest.mark.parametrize("variant", BOTH)
def test_all_pairs_answer_as_they_should(drive: Drive, variant: Variant) -> None:
    """The requests of every pair get the statuses that its folder states, and no test fails."""
    assert drive(variant).code == 0, drive(variant).output


@each_variant
def test_the_pitfall_is_found(drive: Drive, pair: Pair, variant: Variant) -> None:
    """The wrong application breaks exactly the marked rule, at exactly the marked line."""
    expected = [(mark.code, f"{pair.name}/wrong.py", mark.line) for mark in pair.marks(variant) if applies(mark)]
    found = of(drive(variant), pair, variant, "wrong")

    assert sorted(expected) == sorted((told.code, told.file, told.line) for told in found)


@each_variant
def test_the_corrected_twin_is_silent(drive: Drive, pair: Pair, variant: Variant) -> None:
    """Nothing is found in the right application, of whatever severity."""
    assert [told.text() for told in of(drive(variant), pair, variant, "right")] == []


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.name) for pair in DRIVEN if pair.marks(pair.variants[0])])
@worded
def test_the_whole_message(drive: Drive, pair: Pair) -> None:
    """`message.txt` is what a user reads, on every database."""
    told = [told for variant in pair.variants for told in of(drive(variant), pair, variant, "wrong")]

    assert_reads(pair.folder / "message.txt", told)


@pytest.mark.parametrize("variant", BOTH)
def test_nothing_else_is_found(drive: Drive, variant: Variant) -> None:
    """The shop itself, with which the run is configured, has no pitfall; and no finding is without a place."""
    known = {f"{pair.name}/wrong.py" for pair in PAIRS}

    assert [told.text() for told in drive(variant).findings if told.file not in known] == []
