"""The findings part of the page: complete without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.detectors.rule import Rule
from harness.gate.record import Location, Observation, Record
from harness.gate.results import Results
from harness.report.html.elements import Html, element, joined
from harness.report.html.excerpt import Excerpts
from harness.report.message import occurrences, ways_to_allow
from harness.report.order import accepted, by_rule, counted, ordered, tally

GLYPHS = {"error": "✕", "warning": "▲", "info": "●"}


class Findings:
    """Draws findings.

    Args:
        results: of the whole run.
        rules: the manuals by code, where they are known.
        anchors: for a finding's fingerprint, where on the page its request's timeline is.
    """

    def __init__(self, results: Results, rules: Mapping[str, Rule], anchors: Mapping[str, str]) -> None:
        self._results = results
        self._rules = rules
        self._anchors = anchors
        self._excerpts = Excerpts(results.root)
        self._numbers = {id(record): number for number, record in enumerate(ordered(results.records))}

    def section(self) -> Html:
        """Return the whole part: met in tests, read in the application, accepted."""
        met = [record for record in self._results.open if not record.graph]
        read = [record for record in self._results.open if record.graph]
        closed = ordered(record for record in self._results.records if record.suppressed is not None)
        return joined(
            self._group("met", "Met in tests", None, met) if met else None,
            self._group(
                "read",
                "Read in the application",
                "Found in the real dependency tree and source, also where tests replace them.",
                read,
            )
            if read
            else None,
            self._accepted(closed) if closed else None,
            _nothing(self._results) if not met and not read else None,
        )

    def contents(self) -> Html:
        """Return the lists of rules for the margin."""
        met = [record for record in self._results.open if not record.graph]
        read = [record for record in self._results.open if record.graph]
        return joined(
            *(
                joined(element("p", title), element("ol", *map(_entry, by_rule(records)), class_="rules"))
                for title, records in (("Met in tests", met), ("Read in the application", read))
                if records
            )
        )

    def _group(self, key: str, title: str, lead: str | None, records: Sequence[Record]) -> Html:
        return element(
            "section",
            element("h2", title, " ", element("span", tally(records), class_="aside")),
            element("p", lead, class_="lead") if lead else None,
            *(self._rule(code, found) for code, found in by_rule(records)),
            class_="group",
            id=key,
        )

    def _rule(self, code: str, records: Sequence[Record]) -> Html:
        first, fixes = records[0], list(dict.fromkeys(record.fix for record in records))
        mixed = len({record.severity for record in records}) > 1
        rule = self._rules.get(code)
        return element(
            "section",
            element(
                "h3",
                severity(first.severity),
                " ",
                element("span", code, class_="code-name"),
                " ",
                first.name,
                " ",
                element("span", counted(len(records), "finding"), class_="aside"),
            ),
            element("p", rule.what, class_="what") if rule else None,
            element(
                "dl",
                _row("Why", first.why),
                _row("Fix", fixes[0]) if len(fixes) == 1 else None,
                class_="facts",
            ),
            *(self._finding(record, own_fix=len(fixes) > 1, mixed=mixed) for record in records),
            class_="rule",
            id=_anchor(code, first.graph),
        )

    def _finding(self, record: Record, *, own_fix: bool, mixed: bool) -> Html:
        return element(
            "article",
            element("h4", severity(record.severity) if mixed else None, " " if mixed else None, record.message),
            self._where(record),
            self._excerpts.around(record.location),
            element(
                "dl",
                _row("Seen", *(self._observation(piece, record) for piece in record.evidence))
                if record.evidence
                else None,
                _row("Fix", record.fix) if own_fix else None,
                class_="facts",
            )
            if record.evidence or own_fix
            else None,
            _more(record),
            class_=f"finding {record.severity}",
            id=f"f-{record.fingerprint}",
            data_number=self._numbers[id(record)],
            data_severity=record.severity,
        )

    def _where(self, record: Record) -> Html:
        anchor = self._anchors.get(record.fingerprint)
        more = occurrences(record)
        return element(
            "p",
            _place(record.location),
            element("span", str(record.request), class_="request-line") if record.request else None,
            element("a", "timeline", href=f"#{anchor}") if anchor else None,
            element("span", more, class_="aside") if more else None,
            class_="where",
        )

    def _observation(self, piece: Observation, record: Record) -> Html:
        # The line to mend stands in the excerpt already.
        source = self._excerpts.single(piece.location) if piece.location != record.location else None
        return joined(
            piece.text,
            " " if piece.location else None,
            _place(piece.location),
            element("code", source, class_="source-line") if source else None,
        )

    def _accepted(self, records: Sequence[Record]) -> Html:
        rows = (
            element(
                "li",
                element("span", record.code, class_="code-name"),
                " ",
                record.message,
                " ",
                _place(record.location),
                element("span", f"by {record.suppressed}", class_="aside"),
            )
            for record in records
        )
        return element(
            "details", element("summary", accepted(records)), element("ul", *rows), class_="accepted", id="accepted"
        )


def severity(name: str) -> Html:
    """Return a severity as sign and word."""
    return element("span", element("span", GLYPHS[name], aria_hidden="true"), f" {name}", class_=f"severity {name}")


def _entry(rule: tuple[str, list[Record]]) -> Html:
    code, records = rule
    first = records[0]
    link = element(
        "a",
        element("span", GLYPHS[first.severity], class_=f"glyph {first.severity}", aria_hidden="true"),
        element("span", code, class_="code-name"),
        element("span", first.name),
        element("span", str(len(records)), class_="number"),
        href=f"#{_anchor(code, first.graph)}",
    )
    return element("li", link)


def _more(record: Record) -> Html:
    tests = record.tests
    summary = counted(len(tests), "test") if tests else "how to accept it"
    shown = tests[:40]
    return element(
        "details",
        element("summary", f"{summary}, how to accept it" if tests else summary),
        element(
            "ul",
            *(element("li", element("code", test)) for test in shown),
            element("li", f"and {len(tests) - len(shown)} more") if len(tests) > len(shown) else None,
        )
        if tests
        else None,
        element(
            "dl",
            _row("Allow", *(joined(element("code", text), f" {where}") for text, where in ways_to_allow(record))),
            _row("More", element("code", f"pytest --harness-explain {record.code}")),
            _row("Fingerprint", element("code", record.fingerprint)),
            class_="facts",
        ),
        class_="more",
    )


def _row(term: str, *told: str) -> Html:
    return element("div", element("dt", term), *(element("dd", piece) for piece in told))


def _place(location: Location | None) -> Html | None:
    if location is None:
        return None
    return element(
        "code", f"{location.path}:{location.line}", element("span", f" in {location.function}"), class_="place"
    )


def _nothing(results: Results) -> Html:
    told = "No findings." if results.requests or results.statements else "No test touched the database."
    return element("p", told, class_="nothing")


def _anchor(code: str, graph: bool) -> str:
    return f"{code}-read" if graph else code
