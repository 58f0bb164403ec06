"""A finding as a block of text."""

from __future__ import annotations

from harness.report.markup import plain
from harness.report.message import block, block_text
from tests.unit.report.made import record


def test_a_block_says_fact_where_evidence_why_fix_and_how_to_allow() -> None:
    """In this order, in the shape that harness's errors have."""
    found = record(
        tests=("tests/test_items.py::test_a", "tests/test_items.py::test_b"),
        count=3,
        evidence=(("INSERT INTO items, 1 row", "app/items.py:17 create_item"), ("201 was sent 2.1 ms later", None)),
    )

    assert [
        "H201 write never committed (error): POST /items answered 201, and 1 INSERT into items was discarded "
        "when its session was closed",
        "  where app/items.py:18 in create_item",
        "        POST /items → 201",
        "        tests/test_items.py::test_a (met in 2 tests, 3 times)",
        "  seen  INSERT INTO items, 1 row at app/items.py:17 in create_item",
        "        201 was sent 2.1 ms later",
        "  why   in production the data is lost although the client was told that it was saved",
        "  fix   commit before the response: db.commit(), or await db.commit() with an AsyncSession",
        '  allow `@pytest.mark.harness(allow=["H201"])` on the test, or `# harness: allow[H201] reason` on that line',
        "  more  pytest --harness-explain H201",
    ] == plain(block(found))


def test_what_was_read_in_the_application_is_allowed_where_it_stands() -> None:
    """No test could carry a marker for it."""
    text = block_text(record("H203", "get_db commits after yield", "app/db.py:15 get_db", request=None, graph=True))

    assert "read in the application, not met in a test" in text
    assert "  allow `# harness: allow[H203] reason` on that line" in text
    assert "mark.harness" not in text


def test_without_a_line_there_is_no_comment_to_write() -> None:
    """Only the marker is left."""
    assert '  allow `@pytest.mark.harness(allow=["H201"])` on the test\n' in block_text(record(at=None))


def test_a_fix_of_several_lines_keeps_them() -> None:
    """Each under the other."""
    assert "  fix   one\n        two\n" in block_text(record(fix="one\ntwo"))


def test_much_evidence_is_cut_and_counted() -> None:
    """A hundred statements are not read by anybody."""
    text = block_text(record(evidence=tuple((f"SELECT {number}", None) for number in range(20))))

    assert "SELECT 7" in text
    assert "SELECT 8" not in text
    assert "and 12 more" in text


def test_a_terminal_obeys_nothing_that_a_test_is_called() -> None:
    """Control characters are shown."""
    text = block_text(record(tests=("t.py::test[\x1b[2J\r\n\u202e]",), message="a\x1b]0;title\x07"))

    assert not any(character in text for character in "\x1b\r\x07\u202e")
    assert "\\x1b[2J" in text
