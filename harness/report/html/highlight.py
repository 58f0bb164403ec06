"""Which parts of Python source are words of the language, strings and comments, so that an excerpt is easy to read."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator

#: A part of one line: first and one past the last column, and `keyword`, `string`, `comment`, `number` or `decorator`.
Part = tuple[int, int, str]

#: Which of them there are depends on the version of Python.
_STRINGS = frozenset(
    getattr(tokenize, name)
    for name in (f"{prefix}STRING{part}" for prefix in ("", "F", "T") for part in ("", "_START", "_MIDDLE", "_END"))
    if hasattr(tokenize, name)
)


def parts(source: str) -> dict[int, list[Part]]:
    """Return the parts of each line by its 1-based number; of what is not Python, those before it stops being it."""
    found: dict[int, list[Part]] = {}
    lines = source.splitlines()
    for kind, (first, begin), (last, end) in _tokens(source):
        for number in range(first, last + 1):
            left = begin if number == first else 0
            right = end if number == last else len(lines[number - 1]) if number <= len(lines) else 0
            if right > left:
                found.setdefault(number, []).append((left, right, kind))
    return found


def _tokens(source: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = _kind(token)
            if kind:
                yield kind, token.start, token.end
    except (tokenize.TokenError, SyntaxError):
        return


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.COMMENT:
        return "comment"
    if token.type in _STRINGS:
        return "string"
    if token.type == tokenize.NUMBER:
        return "number"
    if token.type == tokenize.NAME and keyword.iskeyword(token.string):
        return "keyword"
    if token.type == tokenize.OP and token.string == "@" and not token.line[: token.start[1]].strip():
        return "decorator"
    return ""
