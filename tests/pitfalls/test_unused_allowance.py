"""H901: a comment that allows what is no longer there, told at the end of a whole suite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sample_app.pitfalls.catalogue import PAIRS
from tests.pitfalls.runs import ROOT, assert_reads, run

_PAIR = next(pair for pair in PAIRS if pair.code == "H901")
_TEST = """
def test_users(client):
    assert client.get("/users").json() == []
"""


@pytest.mark.parametrize("side", ["wrong", "right"])
def test_an_allowance_that_nothing_needs(tmp_path: Path, side: str) -> None:
    """The comment is told, with its line; without it nothing is."""
    settings = (f"pythonpath = . {ROOT}", f"harness_app = {side}:app", "harness_metadata = sample_app.models:Base")
    (tmp_path / "pytest.ini").write_text("\n".join(("[pytest]", *settings)))
    shutil.copy(_PAIR.folder / f"{side}.py", tmp_path)
    (tmp_path / "test_it.py").write_text(_TEST)

    outcome = run(tmp_path, start=tmp_path)

    assert outcome.code == 0, outcome.output
    expected = [("H901", mark.line) for mark in _PAIR.marks("sync")] if side == "wrong" else []
    assert expected == [(told.code, told.line) for told in outcome.findings]
    if side == "wrong":
        assert_reads(_PAIR.folder / "message.txt", outcome.findings)
