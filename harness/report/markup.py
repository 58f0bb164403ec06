"""Text with a meaning for each piece, so that whoever shows it may choose colours: a terminal, a log, or nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

#: What a piece of a line is. Nothing is told by the style alone.
Style = Literal["plain", "code", "error", "warning", "info", "label", "place", "dim", "title"]
Span = tuple[str, Style]
Line = tuple[Span, ...]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return a text whose control characters are shown, not obeyed: a test's name is anybody's text."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def one_line(text: str) -> str:
    """Return a text on one line, and cleaned."""
    return clean(" ".join(text.split()))


def line(*spans: str | Span) -> Line:
    """Return a line; a bare string is plain."""
    made: list[Span] = [(span, "plain") if isinstance(span, str) else span for span in spans]
    return tuple((clean(text.replace("\n", " ")), style) for text, style in made if text)


def plain(lines: Iterable[Line]) -> list[str]:
    """Return the lines without styles."""
    return ["".join(text for text, _ in spans).rstrip() for spans in lines]


def severity_style(severity: str) -> Style:
    """Return the style of a severity's word."""
    return "error" if severity == "error" else "warning" if severity == "warning" else "info"
