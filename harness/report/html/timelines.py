"""Requests drawn as lanes over time: phases, transactions and statements of each connection, calls to other services.

Drawn with boxes placed in percent, so that it works at every width, without JavaScript, and on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.report.html.choice import Choice, Drawn
from harness.report.html.elements import Html, element, joined
from harness.report.html.statements import statements
from harness.report.order import counted

#: Sign and word of how a transaction ended.
OUTCOMES = {
    "committed": ("✓", "committed"),
    "only read": ("–", "only-read"),
    "rolled back": ("↺", "rolled-back"),
    "discarded": ("✕", "discarded"),
    "open": ("…", "open"),
}
_STEPS = (1, 2, 5, 10)


class Scale:
    """Turns milliseconds since a request began into percent of its width."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._end: float = max(request["took"], _last(request), 0.001) * 1.01

    def at(self, moment: float) -> float:
        """Return where a moment is; one outside of the request is at its edge."""
        return round(min(max(moment, 0.0), self._end) / self._end * 100, 3)

    def style(self, began: float, ended: float | None) -> str:
        """Return left and width as CSS; what never ended reaches the edge."""
        left = self.at(began)
        right = self.at(ended) if ended is not None else 100.0
        return f"left:{left:g}%;width:{max(right - left, 0):.3f}%"

    def ticks(self) -> list[tuple[float, str]]:
        """Return at most seven round moments: percent and label."""
        step, power = 0.001, 0.001
        while self._end / step > 6:
            power *= 10 if step >= power * 10 else 1
            step = next((power * size for size in _STEPS if power * size > step), power * 20)
        count = int(self._end / step)
        return [(self.at(step * number), f"{step * number:g} ms") for number in range(count + 1)]


def section(choice: Choice) -> Html:
    """Return the part of the page."""
    if not choice.drawn:
        return Html("")
    left_out = (
        f" {counted(choice.left_out, 'more request')} "
        f"{'is' if choice.left_out == 1 else 'are'} not drawn: those with findings, the slowest and the chattiest are."
        if choice.left_out
        else ""
    )
    return element(
        "section",
        element("h2", "Timelines ", element("span", counted(len(choice.drawn), "request"), class_="aside")),
        element("p", "What each request did, from its arrival to the end of its teardown.", left_out, class_="lead"),
        _legend(),
        *(_card(drawn) for drawn in choice.drawn),
        class_="group",
        id="timelines",
    )


def status(code: int | None, error: str | None = None) -> Html:
    """Return how a request was answered."""
    kind = "none" if code is None and not error else "good" if (code or 500) < 400 else "odd"
    kind = "bad" if error or (code or 0) >= 500 else kind
    told = "no answer" if code is None else str(code)
    return element("span", f"{told}, {error}" if error else told, class_=f"status {kind}")


def _card(drawn: Drawn) -> Html:
    request = drawn.request
    facts = f"{counted(request['count'], 'statement')}, {_ms(request['database_ms'])} in the database"
    return element(
        "article",
        element(
            "h3",
            element("span", drawn.title, class_="route"),
            " ",
            status(request["status"], request["error"]),
            *(element("a", code, href=f"#{anchor}", class_="chip") for code, anchor in sorted(drawn.codes.items())),
            element("span", f"{_ms(request['took'])} · {facts}", class_="aside"),
        ),
        element("p", drawn.test, class_="test"),
        _drawing(request),
        _notes(request),
        statements(request),
        class_="request",
        id=drawn.anchor,
    )


def _drawing(request: dict[str, Any]) -> Html:
    scale = Scale(request)
    rows = [_row("phases", *(_phase(phase, scale) for phase in request["phases"]), kind="phases")]
    for number, lane in enumerate(request["lanes"]):
        rows.append(_lane(request, number, lane, scale))
    if request["calls"]:
        rows.append(_row("calls", *(_call(call, scale) for call in request["calls"]), kind="calls"))
    ticks = (
        element("span", label, class_="tick", style=f"left:{left:g}%") for left, label in scale.ticks() if left <= 90
    )
    return element(
        "div",
        element("div", *rows, element("div", _sent(request["answered"], scale), class_="over")),
        element("div", element("div", *ticks, class_="track"), class_="axis", aria_hidden="true"),
        class_="drawing",
        role="img",
        aria_label=_described(request),
    )


def _row(label: str, *boxes: Html, kind: str, aside: str = "") -> Html:
    return element(
        "div",
        element("div", label, element("small", aside) if aside else None, class_="label"),
        element("div", *boxes, class_="track"),
        class_=f"row {kind}",
    )


def _phase(phase: dict[str, Any], scale: Scale) -> Html:
    told = f"{phase['name']}: {_ms(phase['ended'] - phase['began'])}"
    return element(
        "span",
        element("span", phase["name"]),
        class_=f"phase {phase['name']}",
        style=scale.style(phase["began"], phase["ended"]),
        title=told,
    )


def _lane(request: dict[str, Any], number: int, lane: dict[str, Any], scale: Scale) -> Html:
    held = element("span", class_="held", style=scale.style(lane["began"], lane["ended"]))
    boxes = [_transaction(found, scale) for found in request["transactions"] if found["lane"] == number]
    bars = [
        _statement(found, place, scale) for place, found in enumerate(request["statements"]) if found["lane"] == number
    ]
    name = "connection" if len(request["lanes"]) == 1 else f"connection {number + 1}"
    return _row(name, held, *boxes, *bars, kind="lane", aside=lane["driver"].rpartition("+")[2])


def _transaction(found: dict[str, Any], scale: Scale) -> Html:
    sign, kind = OUTCOMES[_outcome(found)]
    late = " after the response" if found["after_response"] else ""
    end = scale.at(found["ended"]) if found["ended"] is not None else 100.0
    return joined(
        element(
            "span",
            class_=f"transaction {kind}",
            style=scale.style(found["began"], found["ended"]),
            title=f"transaction {found['outcome']}{late}, {counted(found['writes'], 'write')}",
        ),
        element("span", sign, class_=f"outcome {kind}", style=f"left:{end:g}%", title=f"{found['outcome']}{late}"),
    )


def _outcome(found: dict[str, Any]) -> str:
    """Return how a transaction ended; to drop one that has only read is how most sessions end, and no loss."""
    dropped = found["outcome"] == "discarded" and not found["writes"]
    return "only read" if dropped else str(found["outcome"])


def _statement(found: dict[str, Any], place: int, scale: Scale) -> Html:
    ended = found["at"] + found["ms"] if found["ms"] is not None else found["at"]
    kinds = [name for name in ("write", "blocking", "undone") if found[name]]
    kinds += ["lazy"] if found["loaded"] else []
    return element(
        "span",
        class_=" ".join(["statement", *kinds]),
        style=scale.style(found["at"], ended),
        title=f"{found['brief'] or found['verb']}, {_ms(found['ms'])}",
        data_statement=place,
    )


def _call(call: dict[str, Any], scale: Scale) -> Html:
    held = f", {counted(call['held'], 'connection')} held" if call["held"] else ""
    told = f"{call['target']} ({call['library']}){held}"
    left = scale.at(call["at"])
    return element(
        "span",
        element("span", told),
        class_="call from-right" if left > 60 else "call",
        style=f"right:{100 - left:g}%" if left > 60 else f"left:{left:g}%",
        title=told,
    )


def _notes(request: dict[str, Any]) -> Html | None:
    """Return in words what a reader should not miss in the drawing."""
    told = []
    for found in request["transactions"]:
        writes, outcome = counted(found["writes"], "write"), _outcome(found)
        sign, kind = OUTCOMES[outcome]
        if found["after_response"] and outcome == "committed":
            told.append(
                ("▲", "late", f"{writes} committed {_ms(found['ended'] - request['answered'])} after the response")
            )
        elif outcome == "discarded":
            told.append((sign, kind, f"{writes} discarded at {_ms(found['ended'])}"))
        elif outcome == "open":
            told.append((sign, kind, "a transaction was still open at the end"))
    if request["more_transactions"]:
        told.append(("…", "rolled-back", f"{counted(request['more_transactions'], 'more transaction')} not drawn"))
    rows = (
        element("li", element("span", sign, class_=f"outcome {kind}", aria_hidden="true"), text)
        for sign, kind, text in told
    )
    return element("ul", *rows, class_="notes") if told else None


def _described(request: dict[str, Any]) -> str:
    """Return the drawing in words; the list below it has the details."""
    told = [f"{request['method']} {request['route']} took {_ms(request['took'])}"]
    if request["answered"] is not None:
        told.append(f"the response was sent at {_ms(request['answered'])}")
    for found in request["transactions"]:
        end = f" at {_ms(found['ended'])}" if found["ended"] is not None else ""
        late = ", after the response" if found["after_response"] else ""
        what = {"only read": "closed", "open": "still open"}.get(_outcome(found), found["outcome"])
        told.append(f"a transaction with {counted(found['writes'], 'write')} was {what}{end}{late}")
    told += [f"{call['target']} was called at {_ms(call['at'])}" for call in request["calls"]]
    return "; ".join(told)


def _legend() -> Html:
    def entry(sample: str, told: str) -> Html:
        return element("li", element("span", class_=f"sample {sample}", aria_hidden="true"), told)

    def outcome(name: str) -> Html:
        sign, kind = OUTCOMES[name]
        return element("li", element("span", sign, class_=f"outcome {kind}", aria_hidden="true"), name)

    return element(
        "ul",
        entry("statement", "read"),
        entry("statement write", "write"),
        entry("statement lazy", "lazy load"),
        entry("statement blocking", "blocks the event loop"),
        *(outcome(name) for name in OUTCOMES),
        class_="legend",
        aria_label="Legend",
    )


def _sent(answered: float | None, scale: Scale) -> Html | None:
    """Return the line across all lanes at which the client had its answer."""
    if answered is None:
        return None
    left = scale.at(answered)
    side = "sent from-right" if left > 75 else "sent"
    return element("span", element("span", "response sent"), class_=side, style=f"left:{left:g}%")


def _last(request: dict[str, Any]) -> float:
    ends: Sequence[float] = [
        *(found["at"] + (found["ms"] or 0) for found in request["statements"]),
        *(found["ended"] for found in request["transactions"] if found["ended"] is not None),
        *(phase["ended"] for phase in request["phases"]),
    ]
    return max(ends, default=0.0)


def _ms(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "did not come back"
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 1 else 2
    return f"{milliseconds:.{digits}f} ms"
