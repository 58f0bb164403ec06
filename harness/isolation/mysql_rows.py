"""The rows of a MySQL or MariaDB database as SQL that the server itself has written, put into a copy of it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from harness.database.mysql_copies import as_dumps_do, quoted, rows, triggers_of, write, written_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.database.drivers import Physical

#: Rows in one statement, which must not be longer than the server's max_allowed_packet.
_BATCH = 100
#: What is no text in any character set.
_BYTES = frozenset(
    {
        "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring",
        "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection", "vector",
    }
)  # fmt: skip


def transplant(source: Physical, target: Physical) -> None:
    """Give a copy of a database the rows that `source` sees in its own, including what is not committed.

    Args:
        source: a connection to the original, perhaps in the middle of a transaction.
        target: a connection to the copy, in no transaction.
    """
    there = written_columns(source)
    columns = {table: found for table, found in written_columns(target).items() if table in there}
    seen, copied = _checksums(source, columns), _checksums(target, columns)
    changed = [table for table in columns if seen[table] != copied[table]]
    if not changed:
        return
    zone = source.scalars("SELECT @@session.time_zone")[0]
    with as_dumps_do(target):
        target.script(f"SET SESSION time_zone = '{zone}'")
        # They have acted in the original already, and cannot be switched off.
        triggers = triggers_of(target)
        target.script(*(f"DROP TRIGGER {quoted(trigger.name)}" for trigger in triggers), "BEGIN")
        for table in changed:
            target.script(f"DELETE FROM {quoted(table)}", *_insertions(source, table, columns[table]))
        target.script("COMMIT")
        write(target, triggers)


def _checksums(physical: Physical, tables: Iterable[str]) -> dict[str, str]:
    """Return for each table what changes if a row does."""
    names = list(tables)
    listed = ", ".join(map(quoted, names))
    found = rows(physical, f"CHECKSUM TABLE {listed}") if names else []
    return {name: str(checksum) for name, (_, checksum) in zip(names, found, strict=True)}


def _insertions(source: Physical, table: str, columns: list[tuple[str, str]]) -> Iterator[str]:
    values = ", ".join(_literal(name, kind) for name, kind in columns)
    listed = ", ".join(quoted(name) for name, _ in columns)
    found = iter(source.scalars(f"SELECT concat_ws(',', {values}) FROM {quoted(table)}"))
    while batch := list(islice(found, _BATCH)):
        yield f"INSERT INTO {quoted(table)} ({listed}) VALUES " + ", ".join(f"({row})" for row in batch)


def _literal(name: str, kind: str) -> str:
    """Return SQL that gives a value of a column as SQL."""
    column = quoted(name)
    if kind in _BYTES:
        return f"if({column} IS NULL, 'NULL', concat('x''', hex({column}), ''''))"
    if kind == "float":
        return f"quote({column} + 0e0)"  # by itself it is shown with six digits
    # Bits in quotes would be those of the digit.
    return f"coalesce({column} + 0, 'NULL')" if kind == "bit" else f"quote({column})"
