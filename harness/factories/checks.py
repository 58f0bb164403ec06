"""What the CHECK constraints of a table say about one column, as far as they say it plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Table

if TYPE_CHECKING:
    from sqlalchemy import Column

_NUMBER = r"(-?\d+)(?:\.0*)?(?![\d.])"


def choices(column: Column[Any]) -> list[str]:
    """Return the texts of `column IN ('a', 'b')`."""
    for text in _texts(column):
        if found := re.search(rf"{_name(column)}\s+IN\s*\(([^()]*)\)", text, re.IGNORECASE):
            return [quoted.replace("''", "'") for quoted in re.findall(r"'((?:[^']|'')*)'", found[1])]
    return []


def bounds(column: Column[Any]) -> tuple[int | None, int | None]:
    """Return the least and the greatest whole number that `>`, `>=`, `<`, `<=` and BETWEEN allow."""
    least: list[int] = []
    greatest: list[int] = []
    for text in _texts(column):
        if re.search(r"\bOR\b|\bNOT\b", text, re.IGNORECASE):
            continue
        for sign, number in re.findall(rf"{_name(column)}\s*(>=|<=|>|<)\s*{_NUMBER}", text):
            (least if sign[0] == ">" else greatest).append(int(number) + {">": 1, "<": -1}.get(sign, 0))
        for low, high in re.findall(rf"{_name(column)}\s+BETWEEN\s+{_NUMBER}\s+AND\s+{_NUMBER}", text, re.IGNORECASE):
            least.append(int(low))
            greatest.append(int(high))
    return (max(least) if least else None), (min(greatest) if greatest else None)


def _name(column: Column[Any]) -> str:
    return rf"""(?<![\w.(])(?:\w+\.)?["`]?{re.escape(column.name)}["`]?"""


def _texts(column: Column[Any]) -> Iterator[str]:
    table = column.table
    if not isinstance(table, Table):
        return
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            # A parenthesis may stand before a comparison, but a function's would mean something else.
            text = str(constraint.sqltext.compile(compile_kwargs={"literal_binds": True}))
            yield re.sub(r"(?<!\w)\((?!')", " ", text)
