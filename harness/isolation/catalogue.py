"""What isolation has to know of a database's own definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.isolation.timewords import retimed

if TYPE_CHECKING:
    from harness.database.drivers import Physical

_PG_FUNCTIONS = """
SELECT lower(p.proname) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.provolatile = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
_PG_DEFERRED = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.conname)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace WHERE c.condeferred
"""
_PG_DEFERRABLE = "SELECT count(*) FROM pg_catalog.pg_constraint WHERE condeferrable"
_MYSQL_FUNCTIONS = """
SELECT lower(routine_name) FROM information_schema.routines
WHERE routine_type = 'FUNCTION' AND routine_schema = database() AND sql_data_access = 'MODIFIES SQL DATA'
"""
_PG_DEFAULTS = """
SELECT c.relname || chr(31) || a.attname || chr(31) || pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated = ''
"""
_SQLITE_DEFERRED = "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%DEFERRABLE%'"


@dataclass(slots=True)
class Catalogue:
    """Functions that write although a SELECT calls them, and constraints that wait for COMMIT.

    Attributes:
        deferred: qualified names of the PostgreSQL constraints that are initially deferred.
        frozen: by table, PostgreSQL's columns whose default is the time of the transaction.
        deferrable: whether any constraint may be deferred.
        changed: whether DDL has run since this was read.
        suspects: places that used the driver's own connection, for the error that blames them.
    """

    writing_functions: frozenset[str] = frozenset()
    deferred: tuple[str, ...] = ()
    deferrable: bool = False
    frozen: dict[str, frozenset[str]] = field(default_factory=dict)
    changed: bool = False
    suspects: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, physical: Physical) -> Catalogue:
        """Read it from the database that `physical` is connected to."""
        if physical.dialect == "mysql":  # which has no deferrable constraints
            return cls(writing_functions=frozenset(physical.scalars(_MYSQL_FUNCTIONS)))
        if physical.dialect == "postgresql":
            return cls(
                writing_functions=frozenset(physical.scalars(_PG_FUNCTIONS)),
                deferred=tuple(physical.scalars(_PG_DEFERRED)),
                deferrable=bool(physical.scalars(_PG_DEFERRABLE)[0]),
                frozen=_frozen(physical),
            )
        return cls(deferrable=bool(physical.scalars(_SQLITE_DEFERRED)[0]))

    def check_deferred(self, physical: Physical, run: Callable[..., None]) -> None:
        """Check the deferred constraints now, as COMMIT would, and leave them deferred.

        Raises:
            Exception: the driver's IntegrityError.
        """
        if physical.dialect == "mysql" or not (self.deferrable or self.changed):
            return
        if physical.dialect == "postgresql":
            names = tuple(physical.scalars(_PG_DEFERRED)) if self.changed else self.deferred
            again = (f"SET CONSTRAINTS {', '.join(names)} DEFERRED",) if names else ()
            run("SET CONSTRAINTS ALL IMMEDIATE", *again)
        elif violated := physical.scalars("PRAGMA foreign_key_check"):
            import sqlite3

            raise sqlite3.IntegrityError(f"FOREIGN KEY constraint failed (deferred, table {violated[0]})")


def _frozen(physical: Physical) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in physical.scalars(_PG_DEFAULTS):
        table, column, default = row.split("\x1f")
        if retimed(default) != default:
            found.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in found.items()}
