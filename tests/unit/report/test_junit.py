"""JUnit properties."""

from __future__ import annotations

from harness.report.junit import properties
from tests.unit.report.made import record


def test_each_open_finding_is_a_property() -> None:
    """Code, place and fact; the worst first; accepted ones are left out."""
    found = [
        record("H502", "Author.books was loaded 12 times", "app/authors.py:19 list_authors"),
        record(message="lost", at="app/items.py:18 create_item"),
        record("H401", "not returned", at=None),
        record(at="app/items.py:2 f", suppressed="comment"),
    ]

    assert [
        ("harness.finding", "H201 app/items.py:18 lost"),
        ("harness.finding", "H401 not returned"),
        ("harness.finding", "H502 app/authors.py:19 Author.books was loaded 12 times"),
    ] == properties(found)
