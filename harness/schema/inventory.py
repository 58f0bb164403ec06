"""What was in a database before harness came, so that it can be left as it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Names of what a database contains: tables and enum types as (schema, name), and schemas."""

    tables: frozenset[tuple[str | None, str]]
    enums: frozenset[tuple[str, str]]
    schemas: frozenset[str]


def inventory(engine: Engine) -> Inventory:
    """Return what the database contains now."""
    with engine.connect() as connection:
        inspector = inspect(connection)
        postgres = connection.dialect.name == "postgresql"
        schemas = [name for name in inspector.get_schema_names() if name != "information_schema"] if postgres else []
        places: list[str | None] = [*schemas] if postgres else [None]
        tables = {(schema, name) for schema in places for name in inspector.get_table_names(schema)}
        enums: set[tuple[str, str]] = set()
        if postgres:
            found = connection.execute(
                text(
                    "SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
                    "WHERE t.typtype = 'e'"
                )
            )
            enums = {(schema, name) for schema, name in found}
    return Inventory(tables=frozenset(tables), enums=frozenset(enums), schemas=frozenset(schemas))


def remove_since(before: Inventory, engine: Engine) -> None:
    """Drop the tables, enum types and schemas that are there now and were not `before`."""
    now = inventory(engine)
    quote = engine.dialect.identifier_preparer.quote
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for schema, name in sorted(now.tables - before.tables, key=str):
                connection.execute(text(f"DROP TABLE {quote(schema or 'public')}.{quote(name)} CASCADE"))
            for schema, name in sorted(now.enums - before.enums):
                connection.execute(text(f"DROP TYPE {quote(schema)}.{quote(name)}"))
            for schema in sorted(now.schemas - before.schemas):
                connection.execute(text(f"DROP SCHEMA {quote(schema)} CASCADE"))
            return
        metadata = MetaData()
        names = [name for _, name in now.tables - before.tables]
        if names:
            metadata.reflect(connection, only=names)
            metadata.drop_all(connection)
