"""Counters that can be given a range: SQLite's, which a table must ask for; sequences, which a role must be let set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from harness.errors import SchemaError

if TYPE_CHECKING:
    from sqlalchemy import Dialect, MetaData, Table

    from harness.database.drivers import Physical
    from harness.isolation.counters import Counters
    from harness.isolation.sequences import Sequences

#: Tables whose only key is an INTEGER and that have no counter.
_UNCOUNTED = """
SELECT m.name FROM sqlite_master m
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.sql NOT LIKE '%AUTOINCREMENT%'
  AND (SELECT count(*) FROM pragma_table_info(m.name) WHERE pk > 0) = 1
  AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) i WHERE i.pk > 0 AND upper(i.type) = 'INTEGER'
              AND i.name NOT IN (SELECT f."from" FROM pragma_foreign_key_list(m.name) f))
ORDER BY 1
"""


@contextmanager
def counted(found: Iterable[MetaData], dialect: Dialect) -> Iterator[None]:
    """While active, tables are made with AUTOINCREMENT where their key allows it; then the metadata is as it was."""
    changed = [table for metadata in found for table in metadata.tables.values() if _may_count(table, dialect)]
    for table in changed:
        table.dialect_options["sqlite"]["autoincrement"] = True
    try:
        yield
    finally:
        for table in changed:
            table.dialect_options["sqlite"]["autoincrement"] = False


def _may_count(table: Table, dialect: Dialect) -> bool:
    column = table.autoincrement_column
    if column is None or len(table.primary_key) != 1 or column.foreign_keys:
        return False
    if table.dialect_options["sqlite"]["autoincrement"]:
        return False
    try:
        return dialect.type_compiler_instance.process(column.type, type_expression=column) == "INTEGER"
    except SQLAlchemyError:  # a type that SQLite lacks: told when the table is made
        return False


def check_counters(physical: Physical) -> list[str]:
    """Return a note about the tables whose ids SQLite takes from the rows, so that they begin at one all the same."""
    uncounted = physical.scalars(_UNCOUNTED)
    if not uncounted:
        return []
    return [
        f"harness_ids 'distinct': ids of {', '.join(uncounted)} begin at 1, as the key was made without AUTOINCREMENT "
        "(harness adds it to the tables that it makes from metadata)"
    ]


def check_sequences(sequences: Sequences | Counters, source: str) -> None:
    """Check that the sequences can be set, which was asked for.

    Raises:
        SchemaError: the role may not set one of them.
    """
    if refused := sequences.refused():
        raise SchemaError(
            "the role of the test database's URL may not set its sequences, so no test can be given its ids",
            where=f"{', '.join(refused)}\nasked for by {source}",
            remedy="GRANT UPDATE ON ALL SEQUENCES IN SCHEMA … TO the role,\n"
            "or let ids count on: harness_ids = continue",
        )
