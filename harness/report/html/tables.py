"""Tables: which requests are slowest, which talk most to the database, and which tests spend their time there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from harness.report.html.choice import Choice
from harness.report.html.elements import Html, element, joined
from harness.report.html.statements import repeated
from harness.report.order import counted

#: How many rows a table has.
ROUTES = 12
TESTS = 20


@dataclass(slots=True)
class Route:
    """All requests to one route."""

    title: str
    requests: list[dict[str, Any]] = field(default_factory=list)

    def most(self, key: str) -> dict[str, Any]:
        """Return the request with the greatest value."""
        return max(self.requests, key=lambda request: float(request[key]))

    def middle(self, key: str) -> float:
        """Return the median value."""
        return median(float(request[key]) for request in self.requests)


def section(timelines: Sequence[dict[str, Any]], choice: Choice) -> Html:
    """Return the part of the page."""
    routes = _routes(timelines)
    if not timelines:
        return Html("")
    return element(
        "section",
        element("h2", "Where the time goes"),
        _slowest(routes, choice) if routes else None,
        _chattiest(routes, choice) if routes else None,
        _tests(timelines),
        class_="group",
        id="time",
    )


def _routes(timelines: Sequence[dict[str, Any]]) -> list[Route]:
    found: dict[str, Route] = {}
    for timeline in timelines:
        for request in timeline["requests"]:
            title = f"{request['method']} {request['route']}"
            found.setdefault(title, Route(title)).requests.append(request)
    return list(found.values())


def _slowest(routes: Sequence[Route], choice: Choice) -> Html:
    top = sorted(routes, key=lambda route: -route.most("took")["took"])[:ROUTES]
    widest = max(route.most("took")["took"] for route in top)
    rows = []
    for route in top:
        slow = route.most("took")
        rows.append(
            element(
                "tr",
                _title(route, slow, choice),
                _number(len(route.requests)),
                _number(route.middle("took"), "{:,.1f}"),
                _bar(slow["took"], widest, part=slow["database_ms"]),
                _number(slow["database_ms"], "{:,.1f}"),
            )
        )
    return _table(
        "Slowest requests",
        "In milliseconds. The front part of a bar is time in the database.",
        ["Route", "Requests", "Median", "Slowest", "of it database"],
        rows,
    )


def _chattiest(routes: Sequence[Route], choice: Choice) -> Html | None:
    talking = [route for route in routes if route.most("count")["count"]]
    top = sorted(talking, key=lambda route: -route.most("count")["count"])[:ROUTES]
    if not top:
        return None
    widest = max(route.most("count")["count"] for route in top)
    rows = []
    for route in top:
        chatty = route.most("count")
        rows.append(
            element(
                "tr",
                _title(route, chatty, choice),
                _number(route.middle("count"), "{:g}"),
                _bar(chatty["count"], widest, form="{:,}"),
                element("td", _repetitions(chatty)),
            )
        )
    return _table(
        "Chattiest requests",
        "Statements per request, and those that were sent again and again from one line.",
        ["Route", "Median", "Most", "Repeated"],
        rows,
    )


def _repetitions(request: dict[str, Any]) -> Html:
    groups = sorted(
        (group for group in repeated(request) if len(group.numbers) > 1), key=lambda group: -len(group.numbers)
    )
    told = [
        element(
            "div",
            element("strong", f"{len(group.numbers)} × "),
            element("code", group.first["brief"] or group.first["verb"]),
            " at " if group.first["path"] else None,
            element("code", f"{group.first['path']}:{group.first['line']}", class_="place")
            if group.first["path"]
            else None,
        )
        for group in groups[:3]
    ]
    return joined(*told) if told else element("span", "none", class_="aside")


def _tests(timelines: Sequence[dict[str, Any]]) -> Html:
    merged: dict[str, dict[str, float]] = defaultdict(lambda: {"database_ms": 0.0, "statements": 0, "requests": 0})
    for timeline in timelines:
        merged[timeline["test"]]["database_ms"] += timeline["database_ms"]
        merged[timeline["test"]]["statements"] += timeline["statements"]
        merged[timeline["test"]]["requests"] += len(timeline["requests"]) + timeline["more_requests"]
    top = sorted(merged.items(), key=lambda pair: (-pair[1]["database_ms"], pair[0]))[:TESTS]
    widest = max(numbers["database_ms"] for _, numbers in top)
    rows = [
        element(
            "tr",
            element("th", element("code", test), scope="row"),
            _number(numbers["requests"]),
            _number(numbers["statements"]),
            _bar(numbers["database_ms"], widest, part=numbers["database_ms"]),
        )
        for test, numbers in top
    ]
    total = sum(numbers["database_ms"] for numbers in merged.values())
    lead = f"{total:,.0f} ms in the database in {counted(len(merged), 'test')}"
    return _table(
        "Database time per test",
        f"{lead}; the first {TESTS}." if len(merged) > TESTS else f"{lead}.",
        ["Test", "Requests", "Statements", "Database, ms"],
        rows,
    )


def _table(title: str, lead: str, heads: Sequence[str], rows: Sequence[Html]) -> Html:
    words = ("Route", "Test", "Repeated")
    cells = (element("th", head, scope="col", class_=None if head in words else "number") for head in heads)
    table = element("table", element("thead", element("tr", *cells)), element("tbody", *rows))
    return joined(
        element("h3", title),
        element("p", lead, class_="lead"),
        element("div", table, class_="scroll", tabindex=0, role="region", aria_label=title),
    )


def _title(route: Route, request: dict[str, Any], choice: Choice) -> Html:
    anchor = choice.anchor_of(request)
    told = element("a", route.title, href=f"#{anchor}") if anchor else route.title
    return element("th", told, scope="row", class_="route")


def _number(value: float, form: str = "{:,}") -> Html:
    return element("td", form.format(value), class_="number")


def _bar(value: float, widest: float, *, part: float | None = None, form: str = "{:,.1f}") -> Html:
    def share(amount: float) -> str:
        return f"width:{min(amount / widest, 1) * 100 if widest else 0:.2f}%"

    return element(
        "td",
        element(
            "span",
            element("span", class_="whole", style=share(value)),
            element("span", class_="part", style=share(part)) if part is not None else None,
            class_="bar",
            aria_hidden="true",
        ),
        element("span", form.format(value), class_="number"),
        class_="measure",
    )
