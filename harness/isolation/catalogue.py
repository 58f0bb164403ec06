"""What isolation has to know of a database's own definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
_SQLITE_DEFERRED = "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%DEFERRABLE%'"


@dataclass(slots=True)
class Catalogue:
    """Functions that write although a SELECT calls them, and constraints that wait for COMMIT.

    Attributes:
        deferred: qualified names of the PostgreSQL constraints that are initially deferred.
        deferrable: whether any constraint may be deferred.
        changed: whether DDL has run since this was read.
        suspects: places that used the driver's own connection, for the error that blames them.
    """

    writing_functions: frozenset[str] = frozenset()
    deferred: tuple[str, ...] = ()
    deferrable: bool = False
    changed: bool = False
    suspects: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, physical: Physical) -> Catalogue:
        """Read it from the database that `physical` is connected to."""
        if physical.aborts_on_error:
            return cls(
                writing_functions=frozenset(physical.scalars(_PG_FUNCTIONS)),
                deferred=tuple(physical.scalars(_PG_DEFERRED)),
                deferrable=bool(physical.scalars(_PG_DEFERRABLE)[0]),
            )
        return cls(deferrable=bool(physical.scalars(_SQLITE_DEFERRED)[0]))

    def check_deferred(self, physical: Physical, run: Callable[..., None]) -> None:
        """Check the deferred constraints now, as COMMIT would, and leave them deferred.

        Raises:
            Exception: the driver's IntegrityError.
        """
        if not self.deferrable and not self.changed:
            return
        if physical.aborts_on_error:
            names = tuple(physical.scalars(_PG_DEFERRED)) if self.changed else self.deferred
            again = (f"SET CONSTRAINTS {', '.join(names)} DEFERRED",) if names else ()
            run("SET CONSTRAINTS ALL IMMEDIATE", *again)
        elif violated := physical.scalars("PRAGMA foreign_key_check"):
            import sqlite3

            raise sqlite3.IntegrityError(f"FOREIGN KEY constraint failed (deferred, table {violated[0]})")
