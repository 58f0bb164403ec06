"""The rows of a PostgreSQL database as text: compared, read, and put into another one with the same tables.

A row is written as its type writes it (`(1,"ann")`) and read back by the same type, so nothing is lost on the way,
whatever driver carries it. Tables of extensions, and columns that the server computes, are left to the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.database.drivers import Physical

_TABLES = r"""
SELECT concat_ws(chr(31), quote_ident(n.nspname) || '.' || quote_ident(c.relname),
  (SELECT coalesce(string_agg(quote_ident(a.attname), chr(30) ORDER BY a.attnum), '') FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
_REFERENCES = r"""
SELECT concat_ws(chr(31), quote_ident(n.nspname) || '.' || quote_ident(c.relname),
  quote_ident(fn.nspname) || '.' || quote_ident(f.relname))
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
"""
_SEQUENCES = r"""
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; names are quoted and qualified as SQL takes them.

    Attributes:
        name: the table's.
        columns: those that are written.
    """

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of a database, each after those that it refers to as far as they do not refer to each other."""

    tables: tuple[Table, ...]
    references: frozenset[tuple[str, str]]
    sequences: tuple[str, ...]

    @classmethod
    def read(cls, physical: Physical) -> Layout:
        """Read it from the database that `physical` is connected to."""
        tables = {}
        for row in physical.scalars(_TABLES):
            name, _, columns = row.partition("\x1f")
            tables[name] = Table(name, tuple(columns.split("\x1e")) if columns else ())
        pairs = [row.split("\x1f") for row in physical.scalars(_REFERENCES)]
        references = frozenset((source, to) for source, to in pairs if source in tables and to in tables)
        ordered = tuple(tables[name] for name in _ordered(list(tables), references))
        return cls(ordered, references, tuple(physical.scalars(_SEQUENCES)))

    def with_dependents(self, names: Iterable[str]) -> set[str]:
        """Return the tables, and all that refer to them however indirectly."""
        found, wanted = set[str](), list(names)
        while wanted:
            name = wanted.pop()
            if name not in found:
                found.add(name)
                wanted += [source for source, to in self.references if to == name]
        return found


def _ordered(names: list[str], references: frozenset[tuple[str, str]]) -> list[str]:
    ordered: list[str] = []
    left = names
    while left:
        free = [name for name in left if not any(source == name and to in left for source, to in references)]
        ordered += free or left  # tables that refer to each other in a circle come as they are
        left = [name for name in left if free and name not in free]
    return ordered


def fingerprints(physical: Physical, layout: Layout) -> dict[str, str]:
    """Return for each table that has rows what changes if one of them does."""
    queries = [
        f"SELECT {literal(table.name)} || chr(31) || md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
        f" FROM {table.name} t"
        for table in layout.tables
    ]
    rows = physical.scalars(" UNION ALL ".join(queries)) if queries else []
    return dict(row.split("\x1f") for row in rows if row)


def filled(physical: Physical, tables: Iterable[str]) -> list[str]:
    """Return those of some tables that have rows."""
    queries = [f"SELECT {literal(name)} WHERE EXISTS (SELECT FROM {name})" for name in tables]
    return physical.scalars(" UNION ALL ".join(queries)) if queries else []


def read(physical: Physical, name: str) -> list[str]:
    """Return the rows of a table."""
    return physical.scalars(f"SELECT t::text FROM {name} t")


def sequences(physical: Physical, layout: Layout) -> dict[str, str]:
    """Return for each sequence the call that sets it to where it stands."""
    queries = [
        f"SELECT {literal(name)} || chr(31) || format('setval(%L, %s, %L)', {literal(name)}, last_value, is_called)"
        f" FROM {name}"
        for name in layout.sequences
    ]
    rows = physical.scalars(" UNION ALL ".join(queries)) if queries else []
    return dict(row.split("\x1f") for row in rows)


def replace(
    physical: Physical, layout: Layout, rows: dict[str, list[str]], counters: Iterable[str] = (), *, lock_ms: int = 5000
) -> None:
    """Make the content of some tables what it was, in one transaction.

    Args:
        physical: a connection that is in no transaction.
        layout: the tables.
        rows: by table, the rows that it will have.
        counters: calls that set sequences.
        lock_ms: milliseconds to wait for somebody who still holds a lock.
    """
    if not rows and not counters:
        return
    script = ["BEGIN", f"SET LOCAL lock_timeout = {lock_ms}"]
    if may_disable_triggers(physical):
        script.append("SET LOCAL session_replication_role = replica")
    if rows:
        # One statement: foreign keys are checked at its end, when all rows are gone, so no order is needed.
        *first, last = [f"DELETE FROM {name}" for name in rows]
        parts = ", ".join(f"harness_{number} AS ({delete})" for number, delete in enumerate(first))
        script.append(f"WITH {parts} {last}" if parts else last)
    script += [_insertion(table, rows[table.name]) for table in layout.tables if rows.get(table.name)]
    if counters := tuple(counters):
        script.append("SELECT " + ", ".join(counters))
    try:
        physical.script(*script, "COMMIT")
    except Exception:
        physical.script("ROLLBACK")
        raise


def may_disable_triggers(physical: Physical) -> bool:
    """Tell whether the role may switch off triggers and foreign keys for itself; else their order has to do."""
    return physical.scalars("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")[0] is True


def _insertion(table: Table, rows: list[str]) -> str:
    columns = ", ".join(table.columns)
    chosen = ", ".join(f"r.{column}" for column in table.columns)
    values = ", ".join(map(literal, rows))
    return (
        f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {chosen} FROM unnest(ARRAY[{values}]::{table.name}[]) r"
    )


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def transplant(source: Physical, target: Physical) -> None:
    """Give a copy of a database the rows that `source` sees in its own, including what is not committed.

    Args:
        source: a connection to the original, perhaps in the middle of a transaction.
        target: a connection to the copy, in no transaction.
    """
    layout = Layout.read(target)
    there = {table.name for table in Layout.read(source).tables}
    common = Layout(tuple(table for table in layout.tables if table.name in there), layout.references, layout.sequences)
    seen, copied = fingerprints(source, common), fingerprints(target, common)
    changed = [table.name for table in common.tables if seen.get(table.name) != copied.get(table.name)]
    rows = {name: read(source, name) for name in layout.with_dependents(changed) if name in there}
    state, old = sequences(source, common), sequences(target, common)
    replace(target, common, rows, [call for name, call in state.items() if old.get(name) != call])
