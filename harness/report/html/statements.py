"""The statements of a request as a list: what was sent, how often, from where; repeated ones are told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.report.html.elements import Html, element, joined
from harness.report.order import counted


@dataclass(slots=True)
class Repeated:
    """Statements of one shape that one line sent.

    Attributes:
        first: the first of them.
        numbers: which statements of the request they are.
        ms: how long they took together.
    """

    first: dict[str, Any]
    numbers: list[int] = field(default_factory=list)
    ms: float = 0.0


def repeated(request: dict[str, Any]) -> list[Repeated]:
    """Return the statements of a request by shape and place, in order of their first appearance."""
    found: dict[tuple[Any, ...], Repeated] = {}
    for number, statement in enumerate(request["statements"]):
        key = (statement["text"], statement["path"], statement["line"], statement["lane"], statement["loaded"])
        group = found.setdefault(key, Repeated(statement))
        group.numbers.append(number)
        group.ms += statement["ms"] or 0.0
    return list(found.values())


def statements(request: dict[str, Any]) -> Html | None:
    """Return the list, closed until somebody opens it."""
    if not request["statements"]:
        return None
    rows = [_row(group) for group in repeated(request)]
    if request["more"]:
        rows.append(element("li", f"and {counted(request['more'], 'more statement')}", class_="aside"))
    return element(
        "details",
        element("summary", counted(request["count"], "statement")),
        element("ol", *rows, class_="statements"),
        class_="more",
    )


def _row(group: Repeated) -> Html:
    first, times = group.first, len(group.numbers)
    notes = [
        f"×{times}" if times > 1 else "",
        f"lazy load of {first['loaded']}" if first["loaded"] else "",
        "blocks the event loop" if first["blocking"] else "",
        "taken back by a savepoint" if first["undone"] else "",
        "failed" if first["ms"] is None else "",
    ]
    return element(
        "li",
        element("span", f"{first['at']:.1f} ms", class_="at", title="when it was sent, from the request's beginning"),
        element("span", f"{group.ms:.2f} ms", class_="took", title="how long it took"),
        element(
            "span",
            element("code", first["text"], class_="sql write" if first["write"] else "sql"),
            element(
                "span",
                element("code", f"{first['path']}:{first['line']}", class_="place") if first["path"] else None,
                joined(*(element("span", note, class_="note") for note in notes if note)),
                class_="where",
            ),
            class_="told",
        ),
        data_statements=" ".join(map(str, group.numbers)),
    )
