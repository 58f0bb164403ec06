"""Compare the schema that the migrations have made with the one that the models describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData


def differences(engine: Engine, metadata: Sequence[MetaData]) -> list[str]:
    """Return what the models have and the database has not, and the other way round, one short text each.

    Tables that belong to no model are left out: the migration tool's own, an extension's, another application's. So
    are types on SQLite, which keeps only an affinity of them.
    """
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": engine.dialect.name != "sqlite"})
        target: Any = list(metadata)  # several are accepted, as in an env.py; the annotation names one
        found = compare_metadata(context, target)
    known = {table.name for one in metadata for table in one.tables.values()}
    return sorted(set(_told(found, known)))


def _told(found: Sequence[Any], known: set[str]) -> Iterator[str]:
    for difference in found:
        if isinstance(difference, list):  # all that has changed in one column
            yield from _told(difference, known)
            continue
        kind, *parts = difference
        action, _, what = kind.partition("_")
        if action == "modify":
            yield f"the {what} of column {parts[1]}.{parts[2]}"
        elif what == "column":
            yield f"column {parts[1]}.{parts[2].name} is {_SIDE[action]}"
        elif what == "table":
            if action == "add":
                yield f"table {parts[0].name} is {_SIDE[action]}"
        elif (table := getattr(parts[0], "table", None)) is not None and table.name in known:
            yield f"{_NAMES.get(what, what)} {parts[0].name or ''} of table {table.name} is {_SIDE[action]}"


_SIDE = {"add": "in the models only", "remove": "in the database only"}
_NAMES = {"fk": "foreign key"}
