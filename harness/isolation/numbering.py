"""Where each table's ids begin if they are to differ between tables, so that a mixed-up key finds no row.

A table's range follows from its name alone, unless two names meet: then the one that sorts later takes the next free
range. So a new table moves at most a few others, and the same table has the same range on every database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from harness.database.drivers import Physical

#: Ids of an INTEGER or BIGINT key: 100001, 110001, … 9990001.
_WIDE, _WIDTH, _FIRST = 990, 10_000, 10
#: Ids of a SMALLINT key: 101, 201, … 30001.
_NARROW, _NARROW_WIDTH, _NARROW_FIRST = 300, 100, 1
_SMALLINT = 32_767


def bases(tables: Iterable[str], *, narrow: bool = False) -> dict[str, int]:
    """Return for each table the number after which its ids begin.

    Args:
        tables: all tables of the database, `schema.table` where the schema is not the usual one.
        narrow: for keys that must fit into a SMALLINT.
    """
    count, width, first = (_NARROW, _NARROW_WIDTH, _NARROW_FIRST) if narrow else (_WIDE, _WIDTH, _FIRST)
    names = sorted(set(tables))
    taken: set[int] = set()
    found = {}
    for name in names:
        slot = crc32(name.encode()) % count
        while slot in taken and len(taken) < count:  # more tables than ranges: some share one
            slot = (slot + 1) % count
        taken.add(slot)
        found[name] = (first + slot) * width
    return found


def base_within(table: str, tables: Iterable[str], largest: int) -> int | None:
    """Return the number after which a table's ids begin, given the largest one; None if no range fits."""
    if largest >= (_FIRST + _WIDE) * _WIDTH:
        return bases(tables)[table]
    return bases(tables, narrow=True)[table] if largest >= _SMALLINT else None


def seeds(physical: Physical) -> tuple[str, ...]:
    """Return the statements that move SQLite's counters to their tables' ranges; none is moved backwards.

    Only a table with AUTOINCREMENT has a counter; the ids of others follow from the rows that are there.
    """
    statements = []
    for schema in physical.scalars("SELECT name FROM pragma_database_list WHERE name <> 'temp'"):
        made = f"FROM {_quoted(schema)}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        counted = physical.scalars(f"SELECT name {made} AND sql LIKE '%AUTOINCREMENT%'")
        if not counted:
            continue
        counters = f"{_quoted(schema)}.sqlite_sequence"
        prefix = "" if schema == "main" else f"{schema}."
        begins = bases(f"{prefix}{name}" for name in physical.scalars(f"SELECT name {made}"))
        for name in counted:
            literal, base = "'" + name.replace("'", "''") + "'", begins[f"{prefix}{name}"]
            statements += [
                f"UPDATE {counters} SET seq = {base} WHERE name = {literal} AND seq < {base}",
                f"INSERT INTO {counters} (name, seq) SELECT {literal}, {base} "
                f"WHERE NOT EXISTS (SELECT 1 FROM {counters} WHERE name = {literal})",
            ]
    return tuple(statements)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
