"""One finding as a block of text, in the shape that harness's errors have: the fact, then a column of labels.

H201 write never committed (error): POST /items answered 201, and 1 INSERT into items was discarded
  where app/items.py:18 in create_item
        POST /items → 201
        tests/test_items.py::test_create, and 3 more tests
  seen  INSERT INTO items at app/items.py:17 in create_item
  why   in production the data is lost although the client was told that it was saved
  fix   commit before the response: db.commit()
  allow @pytest.mark.harness(allow=["H201"]) on the test, or `# harness: allow[H201] reason` on that line
  more  pytest --harness-explain H201
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.gate.record import Record
from harness.report.markup import Line, Span, line, one_line, plain, severity_style
from harness.report.order import counted

#: How many pieces of evidence a block shows.
EVIDENCE = 8


def block(record: Record) -> list[Line]:
    """Return everything there is to say about one finding."""
    lines = [headline(record)]
    lines += _labelled("where", _where(record))
    lines += _labelled("seen", _seen(record))
    lines += _labelled("why", [[record.why]])
    lines += _labelled("fix", [[text] for text in record.fix.splitlines()])
    lines += _labelled("allow", [[", or ".join(f"`{text}` {where}" for text, where in ways_to_allow(record))]])
    lines += _labelled("more", [[f"pytest --harness-explain {record.code}"]])
    return lines


def block_text(record: Record) -> str:
    """Return the block as one plain text."""
    return "\n".join(plain(block(record)))


def headline(record: Record) -> Line:
    """Return `H201 write never committed (error): ` and the fact."""
    return line(
        (record.code, "code"),
        (f" {record.name}", "title"),
        " (",
        (record.severity, severity_style(record.severity)),
        "): ",
        one_line(record.message),
    )


def ways_to_allow(record: Record) -> list[tuple[str, str]]:
    """Return the ways that exist to accept this finding: what to write, and where."""
    ways = []
    if not record.graph:
        ways.append((f'@pytest.mark.harness(allow=["{record.code}"])', "on the test"))
    if record.location is not None:
        ways.append((f"# harness: allow[{record.code}] reason", "on that line"))
    return ways or [("pytest --harness-baseline-update", "accepts all that is found now")]


def occurrences(record: Record) -> str:
    """Return `in 4 tests, 7 times`; empty if it was met once, or not in a test."""
    parts = [f"in {counted(len(record.tests), 'test')}"] if len(record.tests) > 1 else []
    if record.count > max(len(record.tests), 1):
        parts.append(f"{record.count} times")
    return ", ".join(parts)


def _where(record: Record) -> Iterable[Sequence[str | Span]]:
    if record.location is not None:
        yield [(str(record.location), "place")]
    if record.request is not None:
        yield [str(record.request)]
    if record.graph:
        yield ["read in the application, not met in a test"]
    elif record.test is not None:
        more = occurrences(record)
        yield [one_line(record.test), (f" (met {more})" if more else "", "dim")]


def _seen(record: Record) -> Iterable[Sequence[str | Span]]:
    for piece in record.evidence[:EVIDENCE]:
        place: list[str | Span] = [" at ", (str(piece.location), "place")] if piece.location else []
        yield [one_line(piece.text), *place]
    if len(record.evidence) > EVIDENCE:
        yield [(f"and {len(record.evidence) - EVIDENCE} more", "dim")]


def _labelled(label: str, rows: Iterable[Sequence[str | Span]]) -> Iterable[Line]:
    for number, row in enumerate(rows):
        yield line((f"  {label if number == 0 else '':<6}", "label"), *row)
