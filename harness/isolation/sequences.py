"""PostgreSQL's sequences do not roll back: put them back when a level is undone, so that ids repeat.

SQLite's ids roll back with the rows, and tables made anew for each test count from one; tests rely on both.
`setval` is not transactional either, so it travels in the script that undoes the level. Only sequences of tables
that were inserted into are touched; one that a trigger advances is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.isolation.level import Level

_SEQUENCES = r"""
SELECT DISTINCT concat_ws(chr(31), tn.nspname || '.' || t.relname,
       CASE WHEN pg_table_is_visible(t.oid) THEN t.relname END,
       quote_ident(sn.nspname) || '.' || quote_ident(s.relname))
FROM pg_catalog.pg_class s
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
  AND (d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
       OR d.classid = 'pg_attrdef'::regclass AND d.refobjid = s.oid)
LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
JOIN pg_catalog.pg_class t ON t.oid = coalesce(a.adrelid, d.refobjid)
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE s.relkind = 'S' AND t.relkind IN ('r', 'p')
"""


class Sequences:
    """Which sequences belong to which table, and where they stood when no level was open."""

    def __init__(self, of: dict[str, list[str]]) -> None:
        self._of = of
        self._start: dict[str, str] = {}

    @classmethod
    def read(cls, physical: Physical) -> Sequences:
        """Read them from the database that `physical` is connected to."""
        of: dict[str, list[str]] = {}
        if physical.aborts_on_error:
            for row in physical.scalars(_SEQUENCES):
                *tables, sequence = row.split("\x1f")
                for table in tables:
                    of.setdefault(table, []).append(sequence)
        return cls(of)

    def inserting(self, tables: Iterable[str], level: Level, below: Iterable[Level], physical: Physical) -> None:
        """Note, before the statement runs, that a level inserts into tables."""
        for sequence in [sequence for table in tables for sequence in self._of.get(table, ())]:
            if level.commits:
                self._start.pop(sequence, None)
            elif sequence not in level.sequences:
                if any(sequence in other.sequences for other in below):
                    level.sequences[sequence] = _state(sequence, physical)
                else:
                    if sequence not in self._start:
                        self._start[sequence] = _state(sequence, physical)
                    level.sequences[sequence] = self._start[sequence]


def put_back(level: Level) -> tuple[str, ...]:
    """Return the statement that puts back the sequences that a level has advanced."""
    if not level.sequences:
        return ()
    return ("SELECT " + ", ".join(level.sequences.values()),)


def _state(sequence: str, physical: Physical) -> str:
    literal = "'" + sequence.replace("'", "''") + "'"
    return str(
        physical.scalars(f"SELECT format('setval(%L, %s, %L)', {literal}, last_value, is_called) FROM {sequence}")[0]
    )
