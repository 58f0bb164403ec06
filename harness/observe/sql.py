"""What a statement's text tells: its verb, its table, and the text without literals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement as it may be shown.

    Attributes:
        verb: `SELECT`, `INSERT`, …, upper case.
        table: the first table it names, unquoted; empty if none was found.
        text: the statement on one line, its literals replaced by `?`.
    """

    verb: str
    table: str
    text: str

    @property
    def brief(self) -> str:
        """`INSERT INTO items`, `SELECT FROM users`, …"""
        link = {"INSERT": "INTO", "REPLACE": "INTO", "MERGE": "INTO", "SELECT": "FROM", "DELETE": "FROM", "COPY": ""}
        word = link.get(self.verb, "")
        return " ".join(part for part in (self.verb, word if self.table else "", self.table) if part)

    @property
    def changes_rows(self) -> bool:
        """Tell whether its verb changes rows."""
        return self.verb in _CHANGING


_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "COPY", "TRUNCATE"})
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_STRING = re.compile(r"'(?:[^']|'')*'")
_NUMBER = re.compile(r"(?<![\w$:%])\d+(?:\.\d+)?(?![\w])")
_SPACE = re.compile(r"\s+")
_NAME = r'((?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\.(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\]))*)'
_TABLE = {
    "INSERT": re.compile(rf"INTO\s+{_NAME}", re.IGNORECASE),
    "REPLACE": re.compile(rf"INTO\s+{_NAME}", re.IGNORECASE),
    "MERGE": re.compile(rf"INTO\s+{_NAME}", re.IGNORECASE),
    "UPDATE": re.compile(rf"UPDATE\s+(?:ONLY\s+|OR\s+\w+\s+)?{_NAME}", re.IGNORECASE),
    "DELETE": re.compile(rf"FROM\s+(?:ONLY\s+)?{_NAME}", re.IGNORECASE),
    "SELECT": re.compile(rf"FROM\s+(?:ONLY\s+)?{_NAME}", re.IGNORECASE),
    "COPY": re.compile(rf"COPY\s+{_NAME}", re.IGNORECASE),
    "TRUNCATE": re.compile(rf"TRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{_NAME}", re.IGNORECASE),
}
_WITHIN = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\w|DELETE\s+FROM|MERGE\s+INTO)", re.IGNORECASE)
_FIRST = re.compile(r"[A-Za-z]+")


@lru_cache(maxsize=4096)
def shape(sql: str) -> Shape:
    """Return what a statement's text tells."""
    text = _SPACE.sub(" ", _NUMBER.sub("?", _STRING.sub("?", _COMMENT.sub(" ", sql)))).strip()
    found = _FIRST.search(text)
    verb = found.group().upper() if found else ""
    if verb == "WITH":
        inner = _WITHIN.search(text)
        verb = inner.group(1).split()[0].upper() if inner else "SELECT"
    pattern = _TABLE.get(verb)
    table = pattern.search(text) if pattern else None
    return Shape(verb, re.sub(r'["`\[\]]', "", table.group(1)) if table else "", text)
