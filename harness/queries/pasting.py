"""A statement as `psql` and `sqlite3` take it: on one line, with a semicolon, and with variables for parameters.

Values are the test's own data, and may be secrets all the same: they are written out only if they were kept, which is
so only under `pytest -vv`. Otherwise a parameter is a variable: `\\set name 7` in psql, `.parameter set :name 7` in
sqlite3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from harness.observe.queries import Query

#: What is passed over as it is (literals, quoted names, comments), and a driver's placeholder.
_KEPT = r"'(?:[^']|'')*'|\"[^\"]*\"|/\*.*?\*/|--[^\n]*"
_STYLES = {
    "qmark": r"\?",
    "format": r"%%|%s",
    "pyformat": r"%%|%\((?P<name>\w+)\)s|%s",
    "numeric": r"(?<![\w:]):(?P<number>\d+)",
    "numeric_dollar": r"\$(?P<number>\d+)",
    "named": r"(?<![\w:]):(?P<name>[A-Za-z_]\w*)",
}
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_SPACE = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|\s+")


def pasteable(query: Query) -> str:
    """Return a statement that can be pasted; its parameters are variables, or literals where they were kept."""
    pattern = re.compile(f"(?P<kept>{_KEPT})|{_STYLES[query._style]}", re.DOTALL)
    text = pattern.sub(_replacing(query), query.sql)
    return _SPACE.sub(lambda found: found.group(1) or " ", text).strip().rstrip(";") + ";"


def _replacing(query: Query) -> Callable[[re.Match[str]], str]:
    position, doubled = 0, query._style in ("format", "pyformat")

    def replace(found: re.Match[str]) -> str:
        nonlocal position
        kept, named = found["kept"], found.groupdict()
        if kept:
            # A comment to the end of the line would swallow the rest, which is now on the same line.
            return " " if _COMMENT.fullmatch(kept) else kept.replace("%%", "%") if doubled else kept
        if found.group() == "%%":
            return "%"
        if named.get("name"):
            return _shown(query, named["name"], named["name"])
        position += 1
        number = int(named.get("number") or position)
        return _shown(query, number - 1, f"p{number}")

    return replace


def _shown(query: Query, key: str | int, name: str) -> str:
    values = query._values
    known = (isinstance(values, Mapping) and key in values) or (
        isinstance(values, tuple) and isinstance(key, int) and key < len(values)
    )
    text = literal(values[key], bytea=query._dialect == "postgresql") if known else None
    return f":{name}" if text is None else text


def literal(value: Any, *, bytea: bool = False) -> str | None:
    """Return a value as SQL writes it; None for a value of a type that has no certain literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f"'{value}'"
    if isinstance(value, (str, UUID)):
        return "'" + str(value).replace("'", "''") + "'"
    if isinstance(value, (datetime, date, time)):
        return f"'{value}'"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if bytea else f"x'{value.hex()}'"
    return None
