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
    return sorted(set(told(found, known)))


def told(
    found: Sequence[Any], known: set[str] | None = None, *, detailed: bool = False, types: bool = True
) -> Iterator[str]:
    """Yield Alembic's differences in words.

    Args:
        found: as `compare_metadata` gives them.
        known: tables that belong to a model, if others do not matter.
        detailed: tell what of a column has changed from what to what.
        types: tell differences of types.
    """
    for difference in found:
        if isinstance(difference, list):  # all that has changed in one column
            yield from told(difference, known, detailed=detailed, types=types)
            continue
        kind, *parts = difference
        action, _, what = kind.partition("_")
        if action == "modify" and (types or what != "type"):
            yield _modified(what, parts, detailed)
        elif what == "column":
            yield f"column {parts[1]}.{parts[2].name} is {_SIDE[action]}"
        elif what == "table":
            if action == "add" or known is None:
                yield f"table {parts[0].name} is {_SIDE[action]}"
        elif (table := getattr(parts[0], "table", None)) is not None and (known is None or table.name in known):
            yield f"{_NAMES.get(what, what)} {_named(parts[0])} of table {table.name} is {_SIDE[action]}"


def _named(part: Any) -> str:
    """Return what an index or a constraint is called; its columns, if it has no name."""
    return part.name or f"({', '.join(column.name for column in part.columns)})"


def _modified(what: str, parts: Sequence[Any], detailed: bool) -> str:
    if len(parts) < 5:  # the comment of a table
        return f"the {_NAMES.get(what, what)} of table {getattr(parts[0], 'name', parts[0])}"
    text = f"the {_NAMES.get(what, what)} of column {parts[1]}.{parts[2]}"
    return f"{text} is {_value(parts[-2])} in the database, {_value(parts[-1])} in the models" if detailed else text


def _value(value: Any) -> str:
    """Return how a type, a default or a flag is written."""
    argument = getattr(value, "arg", value)  # of a server default
    return "none" if argument is None else str(argument)


_SIDE = {"add": "in the models only", "remove": "in the database only"}
_NAMES = {"fk": "foreign key", "default": "server default"}
