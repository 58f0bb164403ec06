"""What is read in an application without running it: every pitfall's lines, and nothing in the corrected twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.detectors.versions import installed
from sample_app.pitfalls.catalogue import PAIRS
from sample_app.pitfalls.pair import Mark, Pair
from tests.pitfalls.runs import Outcome, assert_reads, run, worded, write_test

_TOUCH = """
def test_touch_the_database(db_session):
    db_session.connection()
"""

_OVERRIDE = """
from sample_app.pitfalls.h903_override_hides_dependency.{side} import app, get_db

def test_with_an_override(client, db_session):
    app.dependency_overrides[get_db] = lambda: db_session
    assert client.post("/users", json={{"email": "eve@example.org", "name": "Eve"}}).status_code == 201
"""
_HIDING = next(pair for pair in PAIRS if pair.code == "H903")


@pytest.fixture(scope="module", params=["wrong", "right"])
def side(request: pytest.FixtureRequest) -> str:
    """Which of the two applications."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def read(side: str, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run whose application is made of all the wrong, or of all the right, applications."""
    directory = tmp_path_factory.mktemp(side)
    return run(directory, str(write_test(directory, _TOUCH)), f"--harness-app=sample_app.pitfalls.catalogue:{side}")


def test_exactly_the_marked_lines_are_found(side: str, read: Outcome) -> None:
    """The wrong applications break the marked rules at the marked lines; the right ones none."""
    marks = [(pair, mark) for pair in PAIRS for mark in pair.marks("graph")] if side == "wrong" else []
    expected = [_place(pair, mark) for pair, mark in marks if _applies(mark)]

    assert sorted(expected) == sorted((told.code, told.file, told.line) for told in read.findings), read.output


def test_no_test_is_named(read: Outcome) -> None:
    """What was read in the source was not met in a test."""
    assert [told.text() for told in read.findings if told.test] == []


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.name) for pair in PAIRS if pair.marks("graph")])
@worded
def test_the_whole_message(side: str, read: Outcome, pair: Pair) -> None:
    """`message_graph.txt` is what a user reads."""
    if side == "wrong":
        assert_reads(
            pair.folder / "message_graph.txt", [told for told in read.findings if told.file == f"{pair.name}/wrong.py"]
        )


def test_an_override_hides_a_pitfall(side: str, tmp_path: Path) -> None:
    """A test that replaces a faulty dependency is told so; one that replaces a good one is not."""
    test = write_test(tmp_path, _OVERRIDE.format(side=side))
    outcome = run(tmp_path, str(test), f"--harness-app=sample_app.pitfalls.{_HIDING.name}.{side}:app")

    marks = [*_HIDING.marks("graph"), *_HIDING.marks("override")] if side == "wrong" else []
    expected = [_place(_HIDING, mark) for mark in marks if installed().exits_after_response]
    assert outcome.code == 0, outcome.output
    assert sorted(expected) == sorted((told.code, told.file, told.line) for told in outcome.findings)
    if side == "wrong" and installed().has_scope:
        assert_reads(_HIDING.folder / "message.txt", [told for told in outcome.findings if told.code == "H903"])


def _place(pair: Pair, mark: Mark) -> tuple[str, str, int]:
    return mark.code, f"{pair.name}/wrong.py", mark.line


def _applies(mark: Mark) -> bool:
    """Between 0.106 and 0.117 FastAPI ran a dependency's exit before the response."""
    return mark.code != "H203" or installed().exits_after_response
