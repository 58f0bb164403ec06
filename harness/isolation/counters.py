"""MySQL's AUTO_INCREMENT counters do not roll back: put them back when nothing is open any more, so that ids repeat.

A counter is set by DDL, which commits, so this is possible only at the end of the outermost level; above the rows of a
wider fixture ids go on. Asked for 1, the server takes the least number that is free. A range of a table's own begins
with the first row of a level: `insert_id` gives the next row its number, and the counter goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.isolation.numbering import base_within

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.isolation.level import Level

_COUNTED = """
SELECT concat_ws(char(31), table_name, data_type) FROM information_schema.columns
WHERE table_schema = database() AND extra LIKE '%auto_increment%'
"""
#: The largest number of a signed column (MySQL manual, "Integer Types").
_LARGEST = {"tinyint": 2**7 - 1, "smallint": 2**15 - 1, "mediumint": 2**23 - 1, "int": 2**31 - 1, "bigint": 2**63 - 1}


class Counters:
    """The tables that have a counter, and the largest number of each."""

    def __init__(self, largest: dict[str, int]) -> None:
        self._largest = largest

    @classmethod
    def read(cls, physical: Physical) -> Counters:
        """Read them from the database that `physical` is connected to."""
        found = dict(row.split("\x1f") for row in physical.scalars(_COUNTED))
        return cls({table: _LARGEST[kind] for table, kind in found.items() if kind in _LARGEST})

    def refused(self) -> list[str]:
        """Return the names of those that this role may not set; no role may set some and others not."""
        return []

    def inserting(
        self, tables: Iterable[str], level: Level, below: Iterable[Level], physical: Physical, ids: str
    ) -> None:
        """Note, before the statement runs, that a level inserts into tables."""
        if ids == "continue" or level.commits:
            return
        for name in set(tables).intersection(self._largest).difference(level.sequences):
            level.sequences[name] = f"ALTER TABLE `{name}` AUTO_INCREMENT = 1"
            base = base_within(name, set(self._largest), self._largest[name])
            if ids == "distinct" and base is not None and not any(name in other.sequences for other in below):
                physical.script(f"SET insert_id = {base + 1}")

    def put_back(self, level: Level) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what puts the counters back: nothing inside of the level's transaction, the rest after it."""
        return (), tuple(level.sequences.values()) if level.savepoint is None else ()
