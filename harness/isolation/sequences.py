"""PostgreSQL's sequences do not roll back: put them back when a level is undone, so that ids repeat.

SQLite's ids roll back with the rows, and tables made anew for each test count from one; tests rely on both.
`setval` is not transactional either, so it travels in the script that undoes the level. Only sequences of tables
that were inserted into are touched; one that a trigger advances is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.isolation.numbering import base_within

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.isolation.level import Level

_SEQUENCES = r"""
SELECT DISTINCT concat_ws(chr(31), CASE WHEN q.seqincrement > 0 THEN q.seqmax ELSE 0 END,
       has_sequence_privilege(s.oid, 'UPDATE'),
       quote_ident(sn.nspname) || '.' || quote_ident(s.relname),
       tn.nspname || '.' || t.relname,
       CASE WHEN pg_table_is_visible(t.oid) THEN t.relname END)
FROM pg_catalog.pg_class s
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
  AND (d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
       OR d.classid = 'pg_attrdef'::regclass AND d.refobjid = s.oid)
LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
JOIN pg_catalog.pg_class t ON t.oid = coalesce(a.adrelid, d.refobjid)
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE s.relkind = 'S' AND t.relkind IN ('r', 'p')
"""
_TABLES = r"""
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True)
class _Sequence:
    """A sequence: its quoted name, the largest number it may give, whether it may be set, its table's full name."""

    name: str
    largest: int
    settable: bool
    table: str


class Sequences:
    """Which sequences belong to which table, and where they stood when no level was open."""

    def __init__(self, of: dict[str, list[_Sequence]], tables: Iterable[str] = ()) -> None:
        self._of = of
        self._tables = [_usual(table) for table in tables]
        self._start: dict[str, str] = {}

    @classmethod
    def read(cls, physical: Physical) -> Sequences:
        """Read them from the database that `physical` is connected to."""
        of: dict[str, list[_Sequence]] = {}
        if physical.dialect != "postgresql":
            return cls(of)
        for row in sorted(physical.scalars(_SEQUENCES)):
            largest, settable, name, *tables = row.split("\x1f")
            sequence = _Sequence(name, int(largest), settable == "t", tables[0])
            for table in tables:
                of.setdefault(table, []).append(sequence)
        return cls(of, physical.scalars(_TABLES) if of else ())

    def refused(self) -> list[str]:
        """Return the names of the sequences that this role may not set."""
        return sorted({one.name for known in self._of.values() for one in known if not one.settable})

    def inserting(
        self, tables: Iterable[str], level: Level, below: Iterable[Level], physical: Physical, ids: str
    ) -> None:
        """Note, before the statement runs, that a level inserts into tables.

        Args:
            tables: as the statement names them.
            level: in which it runs.
            below: the levels under it.
            physical: the real connection.
            ids: `reset`, `distinct` or `continue`.
        """
        for sequence in [sequence for table in tables for sequence in self._of.get(table, ())]:
            name = sequence.name
            if level.commits or ids == "continue":
                self._start.pop(name, None)
            elif name not in level.sequences and sequence.settable:
                if any(name in other.sequences for other in below):
                    level.sequences[name] = _state(name, physical)
                else:
                    if name not in self._start:
                        self._start[name] = _state(name, physical)
                    level.sequences[name] = self._start[name]
                if ids == "distinct":
                    self._move(sequence, physical)

    def _move(self, sequence: _Sequence, physical: Physical) -> None:
        """Let a sequence go on in its table's range, unless it has come further."""
        base = base_within(_usual(sequence.table), {*self._tables, _usual(sequence.table)}, sequence.largest)
        if base is not None:
            name = sequence.name
            physical.scalars(f"SELECT setval({_literal(name)}, {base}) FROM {name} WHERE last_value < {base}")

    def put_back(self, level: Level) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what puts back the sequences that a level has advanced: inside of its transaction, and after it."""
        return (("SELECT " + ", ".join(level.sequences.values()),) if level.sequences else ()), ()


def _usual(table: str) -> str:
    """Return a table's name without the schema that needs no mention."""
    return table.removeprefix("public.")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _state(sequence: str, physical: Physical) -> str:
    return str(
        physical.scalars(
            f"SELECT format('setval(%L, %s, %L)', {_literal(sequence)}, last_value, is_called) FROM {sequence}"
        )[0]
    )
