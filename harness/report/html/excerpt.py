"""The user's code around a line, read from disk when the page is made."""

from __future__ import annotations

import tokenize
from pathlib import Path

from harness.gate.record import Location
from harness.report.html.elements import Html, element, joined
from harness.report.html.highlight import Part, parts

#: How many lines are shown before and after the line.
AROUND = 4
#: Files longer than this are not source that somebody wrote.
LARGEST = 2_000_000
#: Where a line is cut.
WIDTH = 300


class Excerpts:
    """Reads each file once.

    Args:
        root: the project's directory, which relative paths are relative to.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        self._files: dict[str, tuple[list[str], dict[int, list[Part]]] | None] = {}

    def around(self, location: Location | None) -> Html | None:
        """Return the lines around a place, with the line marked; None if they cannot be read any more."""
        lines, found = self._read(location)
        if location is None or not 1 <= location.line <= len(lines):
            return None
        first, last = _reach(lines, location.line)
        shown = (
            _line(number, lines[number - 1], found.get(number, []), hit=number == location.line)
            for number in range(first, last + 1)
        )
        label = f"{location.path}, lines {first} to {last}; line {location.line} is marked"
        return element("pre", element("code", *shown), class_="code", tabindex=0, role="region", aria_label=label)

    def single(self, location: Location | None) -> str | None:
        """Return one line's text, without its indentation; None if it cannot be read any more."""
        lines, _ = self._read(location)
        if location is None or not 1 <= location.line <= len(lines):
            return None
        return lines[location.line - 1].strip()[:WIDTH] or None

    def _read(self, location: Location | None) -> tuple[list[str], dict[int, list[Part]]]:
        if location is None:
            return [], {}
        if location.path not in self._files:
            self._files[location.path] = _source(self._root / location.path)
        return self._files[location.path] or ([], {})


def _reach(lines: list[str], line: int) -> tuple[int, int]:
    """Return the first and last line to show: near ones, none beyond two empty lines, where something else begins."""

    def extent(step: int) -> int:
        end, empty = line, 0
        for number in range(line + step, line + step * (AROUND + 1), step):
            if not 1 <= number <= len(lines):
                break
            if lines[number - 1].strip():
                end, empty = number, 0
            elif (empty := empty + 1) == 2:
                break
        return end

    return extent(-1), extent(1)


def _source(path: Path) -> tuple[list[str], dict[int, list[Part]]] | None:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        with tokenize.open(path) as file:
            source = file.read()
    except (OSError, SyntaxError, UnicodeError, ValueError):
        # Moved, unreadable, or not text: the page tells the place without showing it.
        return None
    return source.splitlines(), parts(source) if path.suffix == ".py" else {}


def _line(number: int, line: str, found: list[Part], *, hit: bool) -> Html:
    return element(
        "span",
        element("span", "▶" if hit else None, class_="mark", aria_hidden="true"),
        element("span", str(number), class_="number"),
        element("span", _coloured(line.expandtabs(4) if not found else line, found), "\n", class_="source"),
        class_="line hit" if hit else "line",
    )


def _coloured(line: str, found: list[Part]) -> Html:
    pieces: list[str] = []
    at = 0
    for left, right, kind in found:
        if left >= at and left < WIDTH:
            pieces += [line[at:left], element("span", line[left : min(right, WIDTH)], class_=f"tok-{kind}")]
            at = right
    rest = line[at:WIDTH] if at < WIDTH else ""
    return joined(*pieces, rest, "…" if len(line) > WIDTH else None)
