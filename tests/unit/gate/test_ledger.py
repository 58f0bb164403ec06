"""All findings of a run, each once."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from harness.gate.ledger import Ledger
from harness.gate.record import Record
from tests.support.rules import record


def told(*records: Record) -> list[Record]:
    """What a run tells that has met these."""
    ledger = Ledger()
    for one in records:
        ledger.add([one])
    return ledger.records()


def test_one_finding_of_several_tests_is_told_once_with_a_count() -> None:
    """And with the tests, sorted."""
    (found,) = told(record(test="t.py::b"), record(test="t.py::a"), record(test="t.py::a"))

    assert (3, ("t.py::a", "t.py::b"), "t.py::a") == (found.count, found.tests, found.test)


def test_what_stands_so_far_keeps_apart_what_is_accepted_and_what_is_not() -> None:
    """One test's verdict needs both, in the order in which they came."""
    ledger = Ledger()
    ledger.add([record(suppressed="comment"), record(), record(suppressed="comment")])

    assert [("comment", 2), (None, 1)] == [(one.suppressed, one.count) for one in ledger.standing()]


def test_what_is_shown_does_not_depend_on_who_came_first() -> None:
    """The evidence is that of the most severe one, then of the first test by name."""
    met = [
        record(test="t.py::a", line=9, message="in a"),
        record(test="t.py::b", line=4, message="in b"),
        record(test="t.py::c", line=5, message="in c", severity="warning"),
    ]

    assert 1 == len({str(told(*order)) for order in permutations(met)})
    (found,) = told(*met)
    assert ("in a", "t.py::a", "app/main.py:9 in f") == (found.message, found.test, str(found.location))


def test_open_anywhere_is_open() -> None:
    """An acceptance in one test does not hide the finding in another; only the open ones are counted."""
    (found,) = told(
        record(test="t.py::a", suppressed="marker"),
        record(test="t.py::b"),
        record(test="t.py::c"),
        record(test="t.py::d", suppressed="marker"),
    )

    assert (None, 2, ("t.py::b", "t.py::c")) == (found.suppressed, found.count, found.tests)


def test_accepted_in_several_ways_is_one_accepted_finding() -> None:
    """The closest to the test is named."""
    (found,) = told(record(suppressed="baseline", test="t.py::a"), record(suppressed="marker", test="t.py::b"))

    assert ("marker", 2) == (found.suppressed, found.count)


def test_reading_the_source_adds_nothing_to_what_was_met() -> None:
    """What a test met is shown; each process that reads the source again finds it again, and that is not counted."""
    source = record(graph=True, message="in the source")
    (read,) = told(source, source)
    (met,) = told(source, record(test="t.py::a", message="met"), source)

    assert (1, True) == (read.count, read.graph)
    assert (1, False, "met", "t.py::a") == (met.count, met.graph, met.message, met.test)


def test_the_order_is_by_severity_code_and_place() -> None:
    """So that two runs can be compared."""
    met = [
        record("H305", severity="info"),
        record("H203", severity="warning"),
        record("H301", "b.py"),
        record("H301", "a.py", 20, function="g"),
        record("H301", "a.py", 3),
        record("H401", None),
        record("H201"),
    ]
    expected = ["H201", "H301 a.py:3", "H301 a.py:20", "H301 b.py", "H401", "H203", "H305"]

    for order in (met, met[::-1]):
        found = [
            f"{one.code} {one.location.path}:{one.location.line}" if one.location else one.code for one in told(*order)
        ]
        assert all(part.startswith(code) for part, code in zip(found, expected, strict=True)), found


@pytest.mark.parametrize("split", [0, 1, 2, 3])
def test_several_processes_tell_what_one_would(split: int) -> None:
    """Through plain values that survive JSON."""
    met = [
        record(test="t.py::a", graph=False),
        record("H201", test="t.py::b", suppressed="comment"),
        record(test="t.py::c", severity="warning"),
        record(graph=True),
    ]
    one, other, controller = Ledger(), Ledger(), Ledger()
    one.add(met[:split])
    other.add(met[split:])
    for worker in (other, one):
        controller.absorb(json.loads(json.dumps(worker.to_wire())))

    assert told(*met) == controller.records()
