"""The page as a whole: its template, style and script are the files beside this one, put into one document."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from string import Template

from harness.detectors.rule import Rule
from harness.gate.results import Results
from harness.report import json_report
from harness.report.html import databases, tables, timelines
from harness.report.html.choice import choose
from harness.report.html.elements import Html, data, element, joined
from harness.report.html.findings import GLYPHS, Findings
from harness.report.order import SEVERITIES, counted, ordered, tally

_NOWHERE = "base-uri 'none'; form-action 'none'"


def render(results: Results, rules: Iterable[Rule] = ()) -> str:
    """Return the page.

    Args:
        results: of the whole run; code around findings is read from `results.root` now.
        rules: the manuals of the rules, where they are known.
    """
    choice = choose(results.timelines, ordered(results.open))
    findings = Findings(results, {rule.code: rule for rule in rules}, choice.anchors)
    script = _file("page.js")
    # Only this very script may run, whatever else came into the page; and nothing may be loaded.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; {_NOWHERE}"
    verdict = tally(results.open) or "no findings"
    return Template(_file("page.html")).substitute(
        policy=policy,
        title=element("title", f"harness: {verdict}"),
        style=_file("page.css"),
        script=script,
        header=_header(results, verdict),
        toolbar=_toolbar(results) if results.open else "",
        contents=_contents(results, findings, drawn=bool(choice.drawn)),
        findings=findings.section(),
        databases=databases.section(results.comparison),
        timelines=timelines.section(choice),
        tables=tables.section(results.timelines, choice),
        data=data({"report": json_report.document(results), "tests": [r.tests for r in ordered(results.records)]}),
    )


def _header(results: Results, verdict: str) -> Html:
    worst = next((name for name in SEVERITIES if any(record.severity == name for record in results.open)), "none")
    database = sum(timeline["database_ms"] for timeline in results.timelines)
    numbers = [
        (f"{results.tests:,}", "test" if results.tests == 1 else "tests"),
        (f"{results.requests:,}", "request" if results.requests == 1 else "requests"),
        (f"{results.statements:,}", "statement" if results.statements == 1 else "statements"),
    ]
    if results.timelines:
        numbers.append((f"{database:,.0f} ms", "in the database"))
    return element(
        "header",
        element("p", f"harness {results.version}", class_="product"),
        element("h1", verdict[:1].upper() + verdict[1:], class_=f"verdict {worst}"),
        element("p", f"on {', '.join(results.databases)}", class_="databases") if results.databases else None,
        element("dl", *(element("div", element("dt", told), element("dd", number)) for number, told in numbers)),
        class_="top",
    )


def _toolbar(results: Results) -> Html:
    buttons = []
    for name in SEVERITIES:
        number = sum(record.severity == name for record in results.open)
        if number:
            buttons.append(
                element(
                    "button",
                    element("span", GLYPHS[name], class_=f"glyph {name}", aria_hidden="true"),
                    f" {counted(number, name) if name != 'info' else f'{number} info'}",
                    type="button",
                    aria_pressed="true",
                    data_filter=name,
                )
            )
    return element(
        "div",
        element("div", *buttons, role="group", aria_label="Severities shown", class_="buttons"),
        element(
            "label",
            element("span", "Search findings and requests", class_="unseen"),
            element(
                "input",
                type="search",
                id="search",
                placeholder="Search: code, file, route, test …  ( / )",
                autocomplete="off",
            ),
        ),
        element("p", role="status", id="shown"),
        class_="toolbar",
        role="search",
    )


def _contents(results: Results, findings: Findings, *, drawn: bool) -> Html:
    links = [("#timelines", "Timelines")] if drawn else []
    links += [("#databases", "Where databases differ")] if results.comparison is not None else []
    links += [("#time", "Where the time goes")] if results.timelines else []
    if len(results.open) < len(results.records):
        links.insert(0, ("#accepted", "Accepted"))
    return joined(
        findings.contents(),
        element("ul", *(element("li", element("a", told, href=to)) for to, told in links)) if links else None,
    )


def _file(name: str) -> str:
    return files("harness.report.html").joinpath(name).read_text(encoding="utf-8")
