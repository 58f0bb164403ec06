"""The summary at the end of a run.

| asked for | told |
|---|---|
| `-q` | one line per rule that found errors |
| nothing | errors and warnings, one line per finding; infos and accepted ones are counted |
| `-v` | infos too, and how to mend each rule's findings |
| `-vv` | the whole block of every finding |
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.gate.record import Record
from harness.gate.results import Results
from harness.report.markup import Line, line, one_line, severity_style
from harness.report.message import block, occurrences
from harness.report.order import accepted, by_rule, counted, tally, tests_of

#: The heading under which the findings of the graph layer stand.
READ = "read in the application"


def summary(results: Results, verbosity: int = 0) -> list[Line]:
    """Return the lines of the section; none if there is nothing to tell.

    Args:
        results: of the whole run.
        verbosity: pytest's: -1 for `-q`, 1 for `-v`, 2 for `-vv`.
    """
    if verbosity < 0:
        return _quiet(results.open)
    shown = [record for record in results.open if verbosity > 0 or record.severity != "info"]
    lines: list[Line] = []
    for graph, heading in ((False, ""), (True, READ)):
        part = [record for record in shown if record.graph is graph]
        if part and heading:
            lines += [*([line()] if lines else []), line((heading, "title"))]
        for code, records in by_rule(part):
            lines += _rule(code, records, verbosity)
    return lines + _totals(results, shown)


def _quiet(records: Sequence[Record]) -> list[Line]:
    lines = []
    for code, found in by_rule(record for record in records if record.severity == "error"):
        first = next((f", first at {record.location}" for record in found if record.location), "")
        lines.append(
            line((code, "code"), (f" {found[0].name}: ", "title"), (counted(len(found), "error"), "error"), first)
        )
    return lines


def _rule(code: str, records: Sequence[Record], verbosity: int) -> list[Line]:
    if verbosity > 1:
        return [row for record in records for row in (*block(record), line())]
    tests = len(tests_of(records))
    lines = [
        line(
            (code, "code"),
            (f" {records[0].name} ", "title"),
            "(",
            (tally(records), severity_style(records[0].severity)),
            f" in {counted(tests, 'test')})" if tests else ")",
        )
    ]
    fixes = list(dict.fromkeys(record.fix for record in records))
    for record in records:
        lines.append(_one(record))
        if verbosity > 0 and len(fixes) > 1:
            lines += _fix(record.fix, "    ")
    if verbosity > 0 and len(fixes) == 1:
        lines += _fix(fixes[0], "  ")
    return lines


def _one(record: Record) -> Line:
    """Return place, fact and number of tests."""
    place = str(record.location) if record.location else str(record.request or record.test or "")
    more = occurrences(record)
    return line(
        "  ", (place, "place"), ": " if place else "", one_line(record.message), (f" ({more})" if more else "", "dim")
    )


def _fix(text: str, indent: str) -> list[Line]:
    first, *rest = text.splitlines() or [""]
    return [line((f"{indent}fix   ", "label"), first), *(line(f"{indent}      {row}") for row in rest)]


def _totals(results: Results, shown: Sequence[Record]) -> list[Line]:
    lines: list[Line] = []
    if results.open:
        hidden = len(results.open) - len(shown)
        more = " (-v shows it)" if hidden == 1 else " (-v shows them)" if hidden else ""
        lines.append(line((counted(len(results.open), "finding"), "title"), f": {tally(results.open)}{more}"))
    if told := accepted(results.records):
        lines.append(line((told, "dim")))
    if shown:
        codes = [code for code, _ in by_rule(shown)]
        lines.append(line((f"what a rule looks for, and why: pytest --harness-explain {codes[0]}", "dim")))
    return [line(), *lines] if shown and lines else lines
