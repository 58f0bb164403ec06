"""`docs/queries.md`: its examples run, and print what it shows."""

from __future__ import annotations

import json
import re

from tests.support.documents import Document
from tests.support.projects import Project


def test_the_page_is_true(project: Project) -> None:
    """The tests that shall pass do, the one that shall fail says what is shown, and the ledger has the line shown."""
    page = Document("queries.md")
    assert {"shop.py", "conftest.py", "test_budgets.py", "test_slow.py", "test_marked.py"} == set(page.files)
    page.write(project).ini("harness_app = shop:app", "harness_ignore = H5 H408", "harness_queries = ledger.json")
    result = project.run("--harness-queries-record")

    assert (4, 1) == (result.passed, result.failed), result.text
    (shown,) = page.all("output")
    text = re.sub(r" AS \w+", "", result.text)  # SQLAlchemy before 2.1 labels the columns of a lazy load
    assert [] == [line for line in shown.splitlines() if line.rstrip() not in map(str.rstrip, text.splitlines())]
    (recorded,) = page.all("recorded")
    assert json.loads(recorded) in json.loads((project.path / "ledger.json").read_text())["counts"]
