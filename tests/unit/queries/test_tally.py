"""What is said at the end of a run."""

from __future__ import annotations

from pathlib import Path

from harness.queries.counts import Count
from harness.queries.ledger import open_ledger
from harness.queries.tally import Tally


def tally(root: Path, recording: bool = False, **sent: int) -> Tally:
    """A run in which these tests sent so many statements each."""
    made = Tally(open_ledger("q.json", root, recording=recording, source="pytest.ini"))
    for test, number in sent.items():
        counts = [Count(request="GET /", times=1, shapes={"x": number}).to_wire()] if number else []
        made.heard({"test": test, "database": "sqlite", "counts": counts})
    return made


def test_a_recording_says_what_it_did(tmp_path: Path) -> None:
    """A test that was run twice counts as it did the last time."""
    first = tally(tmp_path, recording=True, a=1, b=1, c=1, d=0)
    first.heard({"test": "a", "database": "sqlite", "counts": []})
    assert ["query ledger q.json (sqlite): 2 tests added, 0 changed, 0 removed"] == first.finish("0.3.0")

    second = tally(tmp_path, recording=True, a=4, b=2)
    second.heard_of_process({"database": "sqlite", "gone": ["c"]})
    assert ["query ledger q.json (sqlite): 1 test added, 1 changed, 1 removed"] == second.finish("0.3.0")


def test_a_run_notes_what_could_be_recorded(tmp_path: Path) -> None:
    """Fewer, new and gone; a test that sends nothing need not be recorded."""
    tally(tmp_path, recording=True, a=3, b=1, c=1).finish("0.3.0")
    later = tally(tmp_path, a=2, b=1, d=1, e=0)
    later.heard_of_process({"database": "sqlite", "gone": ["c"]})

    assert [
        "query ledger q.json (sqlite): 1 test sent fewer queries than recorded",
        "  a: GET / 3 → 2",
        "query ledger q.json (sqlite): 1 test not recorded",
        "  d",
        "query ledger q.json (sqlite): 1 recorded test not there any more",
        "  c",
        "  record what is so now: pytest --harness-queries-record",
    ] == later.finish("0.3.0")


def test_many_tests_are_not_all_named(tmp_path: Path) -> None:
    """Five, and how many more."""
    tally(tmp_path, recording=True, z=1).finish("0.3.0")
    lines = tally(tmp_path, z=1, t0=1, t1=1, t2=1, t3=1, t4=1, t5=1, t6=1, t7=1).finish("0.3.0")

    assert ["  t4", "  and 3 more", "  record what is so now: pytest --harness-queries-record"] == lines[-3:]


def test_a_run_in_which_no_test_passed_says_and_writes_nothing(tmp_path: Path) -> None:
    """Its modules may have been broken."""
    tally(tmp_path, recording=True, a=1).finish("0.3.0")
    broken = tally(tmp_path, recording=True)
    broken.heard_of_process({"database": "sqlite", "gone": ["a"]})

    assert [] == broken.finish("0.3.0")
    assert ["a"] == open_ledger("q.json", tmp_path, recording=False, source="").tests("sqlite")
