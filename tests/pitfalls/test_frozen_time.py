"""H904: a time that stands still only where the test's transaction is a server's."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_app.pitfalls.catalogue import PAIRS
from sample_app.pitfalls.pair import Variant
from tests.pitfalls.conftest import PRODUCTION
from tests.pitfalls.runs import PITFALLS, Outcome, assert_reads, run

_PAIR = next(pair for pair in PAIRS if pair.code == "H904")


def drive(directory: Path, database: str, variant: Variant, *arguments: str) -> Outcome:
    """Run the pair's tests of one kind of route alone."""
    chosen = (str(PITFALLS), "-k", f"{_PAIR.name} and test_{variant}", f"--harness-database={database}")
    production = None if database == "sqlite" else PRODUCTION
    return run(directory, *chosen, "--harness-select=H904", *arguments, shop_url=production)


@pytest.mark.parametrize("variant", _PAIR.variants)
def test_rows_of_two_requests_in_the_order_of_a_frozen_time(tmp_path: Path, database: str, variant: Variant) -> None:
    """On PostgreSQL the line that orders is named, and the requests that wrote; on SQLite nothing is to be said."""
    outcome = drive(tmp_path, database, variant)

    assert outcome.code == 0, outcome.output
    marks = [] if database == "sqlite" else _PAIR.marks(variant)
    assert [(mark.code, f"{_PAIR.name}/wrong.py", mark.line) for mark in marks] == [
        (told.code, told.file, told.line) for told in outcome.findings
    ]
    if marks and variant == "sync":
        assert_reads(_PAIR.folder / "message.txt", outcome.findings)


def test_a_time_that_advances_orders(tmp_path: Path, database: str) -> None:
    """With the option nothing is found on any database."""
    outcome = drive(tmp_path, database, "sync", "--harness-now=advancing")

    assert outcome.code == 0, outcome.output
    assert outcome.findings == []
