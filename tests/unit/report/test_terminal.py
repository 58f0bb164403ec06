"""The summary at the end of a run."""

from __future__ import annotations

from harness.report.markup import plain
from harness.report.terminal import READ, summary
from tests.unit.report.made import record, results

_ITEMS = record(message="POST /items answered 201, and lost 1 INSERT", tests=("t.py::a", "t.py::b"), count=2)
_CARTS = record(message="POST /carts answered 201, and lost 1 INSERT", at="app/carts.py:7 create_cart", fix="commit it")
_BOOKS = record("H502", "Author.books was loaded 12 times", "app/authors.py:19 list_authors", tests=("t.py::c",))
_INFO = record("H305", "the session expires on commit", "app/db.py:9 <module>", tests=("t.py::c",))
_GRAPH = record("H203", "get_db commits after yield", "app/db.py:15 get_db", request=None, graph=True)
_ACCEPTED = (
    record(at="a.py:1 a", suppressed="baseline"),
    record(at="a.py:2 b", suppressed="baseline"),
    record(at="a.py:3 c", suppressed="comment"),
)
EVERYTHING = results(_INFO, _GRAPH, _BOOKS, _ITEMS, *_ACCEPTED, _CARTS)


def lines(verbosity: int) -> list[str]:
    """The summary of everything, as text."""
    return plain(summary(EVERYTHING, verbosity))


def test_normally_errors_and_warnings_have_a_line_each_and_the_rest_is_counted() -> None:
    """Grouped by rule, the worst first; what was read in the application stands apart."""
    assert [
        "H201 write never committed (2 errors in 3 tests)",
        "  app/carts.py:7 in create_cart: POST /carts answered 201, and lost 1 INSERT",
        "  app/items.py:18 in create_item: POST /items answered 201, and lost 1 INSERT (in 2 tests)",
        "H502 one query per row in an endpoint (1 warning in 1 test)",
        "  app/authors.py:19 in list_authors: Author.books was loaded 12 times",
        "",
        READ,
        "H203 commit after the response (1 warning)",
        "  app/db.py:15 in get_db: get_db commits after yield",
        "",
        "5 findings: 2 errors, 2 warnings, 1 info (-v shows it)",
        "3 accepted: 2 by baseline, 1 by comment",
        "what a rule looks for, and why: pytest --harness-explain H201",
    ] == lines(0)


def test_quiet_names_the_rules_that_found_errors() -> None:
    """One line each."""
    assert ["H201 write never committed: 2 errors, first at app/carts.py:7 in create_cart"] == lines(-1)


def test_v_shows_infos_and_how_to_mend() -> None:
    """Once per rule, or under each finding where they differ."""
    text = "\n".join(lines(1))

    assert "the session expires on commit" in text
    assert "-v shows" not in text
    assert "lost 1 INSERT\n    fix   commit it\n" in text
    assert "loaded 12 times\n  fix   load it with its parents" in text


def test_vv_shows_whole_blocks() -> None:
    """Of every finding that is not accepted."""
    text = "\n".join(lines(2))

    assert 5 == text.count("  why   ")
    assert 5 == text.count("  allow ")


def test_nothing_to_tell_is_told_with_nothing() -> None:
    """At every verbosity."""
    assert [[]] * 4 == [summary(results(), verbosity) for verbosity in (-1, 0, 1, 2)]


def test_only_accepted_ones_are_still_counted() -> None:
    """Nobody should forget them."""
    assert ["3 accepted: 2 by baseline, 1 by comment"] == plain(summary(results(*_ACCEPTED)))


def test_only_infos_are_counted() -> None:
    """And it is said how to see them."""
    assert ["1 finding: 1 info (-v shows it)"] == plain(summary(results(_INFO)))


def test_the_order_of_the_tests_does_not_matter() -> None:
    """Workers finish as they like."""
    again = results(*reversed(EVERYTHING.records))

    assert [summary(EVERYTHING, number) for number in (-1, 0, 1, 2)] == [
        summary(again, number) for number in (-1, 0, 1, 2)
    ]
