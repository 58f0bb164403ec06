"""What differs between the databases of a run, as a table: a test, and what it did on each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.report.html.elements import Html, element, joined
from harness.report.order import counted


def section(comparison: dict[str, Any] | None) -> Html | str:
    """Return the section; empty if the run had one database.

    Args:
        comparison: as `harness.report.divergence` made it, as plain values.
    """
    if comparison is None:
        return ""
    names, divergences = comparison["databases"], comparison["divergences"]
    lead = f"{counted(comparison['compared'], 'test')} ran on {', '.join(names)}; in {len(divergences):,} they differ."
    return element(
        "section",
        element("h2", "Where databases differ", id="databases"),
        element("p", lead, class_="lead"),
        _table(names, divergences) if divergences else None,
    )


def _table(names: list[str], divergences: list[dict[str, Any]]) -> Html:
    heads = (element("th", head, scope="col") for head in ("Test", "What", *names))
    rows = [
        element(
            "tr",
            element("th", element("code", one["test"]), scope="row"),
            element("td", what),
            *(element("td", element("code", by_database[name])) for name in names),
        )
        for one in divergences
        for what, by_database in _rows(one, names)
    ]
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label="Where databases differ")


def _rows(one: dict[str, Any], names: list[str]) -> Iterator[tuple[str, dict[str, Html | str]]]:
    if one["outcomes"] is not None:
        yield "outcome", one["outcomes"]
    if one["queries"] is not None:
        yield "queries", {name: str(number) for name, number in one["queries"].items()}
    if one["findings"] is not None:
        yield "findings", {name: joined(*(element("div", text) for text in one["findings"][name])) for name in names}
    if one["statement"] is not None:
        which = "written differently" if one["statement"]["wording"] else "that differs"
        texts = one["statement"]["databases"]
        yield (
            f"statement {one['statement']['number']}, the first one {which}",
            {name: texts[name] or "nothing more" for name in names},
        )
