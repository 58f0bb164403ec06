"""H601: a database that the migrations made is compared with the models, where that is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sample_app.pitfalls.catalogue import PAIRS
from tests.pitfalls.runs import PITFALLS, ROOT, assert_reads, run

_PAIR = next(pair for pair in PAIRS if pair.code == "H601")
_TEST = """
from {module} import Book

def test_touch_the_database(db_session):
    db_session.connection()
"""


@pytest.mark.parametrize("side", ["wrong", "right"])
def test_a_column_without_a_migration(tmp_path: Path, database: str, side: str) -> None:
    """The model's column that no migration adds is named; a model that is as it was migrated is not."""
    module = f"{_PAIR.package}.{side}"
    migrations = PITFALLS / _PAIR.name
    shutil.copy(migrations / "alembic.ini", tmp_path)
    shutil.copytree(migrations / "migrations", tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    settings = (
        f"pythonpath = {ROOT}",
        f"harness_app = {module}:app",
        f"harness_metadata = {module}:Base",
        "harness_schema = alembic",
        "harness_select = H601",
    )
    (tmp_path / "pytest.ini").write_text("\n".join(("[pytest]", *settings)))
    (tmp_path / "test_it.py").write_text(_TEST.format(module=module))

    outcome = run(tmp_path, f"--harness-database={database}", start=tmp_path)

    assert outcome.code == 0, outcome.output
    assert (["H601"] if side == "wrong" else []) == [told.code for told in outcome.findings]
    if side == "wrong":
        assert_reads(_PAIR.folder / "message.txt", outcome.findings)
