"""Build the schema from MetaData, with what the tables need around them: schemas, extensions, attached databases."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from harness.errors import SchemaError
from harness.schema.numbering import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

_attached = itertools.count(1)

#: How many characters of a refused statement are shown.
_SHOWN = 80

#: PostgreSQL extensions by the type, operator class or function that needs them (PostgreSQL documentation, appendix F;
#: PostGIS and pgvector manuals).
_EXTENSIONS = {
    "CITEXT": "citext",
    "HSTORE": "hstore",
    "LTREE": "ltree",
    "LQUERY": "ltree",
    "CUBE": "cube",
    "GEOMETRY": "postgis",
    "GEOGRAPHY": "postgis",
    "VECTOR": "vector",
    "HALFVEC": "vector",
    "GIN_TRGM_OPS": "pg_trgm",
    "GIST_TRGM_OPS": "pg_trgm",
    "UUID_GENERATE_V4": "uuid-ossp",
    "UUID_GENERATE_V1MC": "uuid-ossp",
}


def create_tables(
    found: tuple[MetaData, ...], engine: Engine, count: bool = False, belongs: Callable[[Table], bool] | None = None
) -> list[str]:
    """Create all tables; on SQLite with counters for their ids, if `count` says so.

    Args:
        found: where they are declared.
        engine: its commits are real.
        count: whether SQLite shall count ids.
        belongs: tells whether a table is in this database; without it, all are.

    Returns:
        Notes for the report: what was translated because the database lacks it.

    Raises:
        SchemaError: there are no tables, or the database refuses them.
    """
    if not any(metadata.tables for metadata in found):
        raise SchemaError(
            "no tables were found, so the test database would be empty",
            why="the MetaData of the application has no tables: perhaps the module with the models was never imported",
            remedy=(
                "import the models where the application is made,\n"
                "or name them: harness_metadata = myapp.models:Base,\n"
                "or say that there are none: harness_schema = none"
            ),
        )
    notes = _declared_twice(found) if belongs is None else []
    try:
        with engine.begin() as connection:
            schemas = schemas_of(found)
            notes += _make_schemas(connection, schemas)
            if connection.dialect.name == "postgresql":
                _make_extensions(connection, found)
            counting = count and engine.dialect.name == "sqlite"
            with counted(found, connection.dialect) if counting else nullcontext():
                for metadata in found:
                    chosen = [table for table in metadata.tables.values() if belongs(table)] if belongs else None
                    metadata.create_all(connection, tables=chosen)
    except SQLAlchemyError as error:
        raise _refused(engine, error) from error
    return notes


def _declared_twice(found: tuple[MetaData, ...]) -> list[str]:
    """Return a note for each table that several MetaData declare: it is made once, as the first of them says."""
    names = Counter(name for metadata in found for name in metadata.tables)
    return [
        f"{number} MetaData objects declare a table {name!r}, which is made once; "
        "if they are of several databases, say so with harness_databases (docs/several-databases.md)"
        for name, number in names.items()
        if number > 1
    ]


def _make_schemas(connection: Connection, schemas: Iterable[str]) -> list[str]:
    notes = []
    for schema in schemas:
        if connection.dialect.name == "sqlite":
            attached = {row[1] for row in connection.exec_driver_sql("PRAGMA database_list")}
            if schema not in attached:
                name = f"file:/harness_{os.getpid()}_{next(_attached)}?vfs=memdb"
                connection.exec_driver_sql(f"ATTACH DATABASE '{name}' AS \"{schema}\"")
                notes.append(f"schema {schema!r} is an attached database on SQLite")
        else:
            quoted = connection.dialect.identifier_preparer.quote_schema(schema)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))
    return notes


def schemas_of(found: Iterable[MetaData]) -> list[str]:
    """Return the names of the schemas that tables name."""
    return sorted({table.schema for metadata in found for table in metadata.tables.values() if table.schema})


def _make_extensions(connection: Connection, found: tuple[MetaData, ...]) -> None:
    needed = sorted({extension for metadata in found for extension in _extensions_of(metadata)})
    if not needed:
        return
    available = set(connection.execute(text("SELECT name FROM pg_available_extensions")).scalars())
    for extension in needed:
        if extension not in available:
            raise SchemaError(
                f"the tables need PostgreSQL's extension {extension!r}, and the server does not have it",
                why="the container image does not contain it",
                remedy="choose an image that does: harness_image = postgis/postgis:17-3.5, pgvector/pgvector:pg17, …",
            )
        connection.execute(text(f'CREATE EXTENSION IF NOT EXISTS "{extension}"'))


def _extensions_of(metadata: MetaData) -> Iterable[str]:
    for table in metadata.tables.values():
        words = [type(column.type).__name__.upper() for column in table.columns]
        words += [str(getattr(column.server_default, "arg", "")).upper() for column in table.columns]
        for index in table.indexes:
            options: Any = dict(index.dialect_options).get("postgresql", {})
            words += [str(value).upper() for value in (options.get("ops") or {}).values()]
        for word in words:
            for name, extension in _EXTENSIONS.items():
                if word == name or word.startswith(f"{name}("):
                    yield extension


def _refused(engine: Engine, error: SQLAlchemyError) -> SchemaError:
    sent = " ".join(str(getattr(error, "statement", None) or "").split())
    remedy = "mend the models, or build the schema another way: harness_schema = alembic, none, or pkg.module:function"
    if engine.dialect.name == "sqlite":
        remedy = "test on the database that the application uses: --harness-database=postgres"
        if sent.startswith("CREATE TABLE") or not sent:  # without a statement, a type could not even be written down
            remedy = (
                "give the column a type that SQLite has, for instance JSON().with_variant(JSONB(), 'postgresql'),\n"
                f"or {remedy}"
            )
    why = " ".join(str(getattr(error, "orig", None) or error).split())[:400]
    return SchemaError(
        f"the tables could not be created on {engine.dialect.name}",
        why=f"{why}\nthe statement was: {_beginning(sent)}" if sent else why,
        remedy=remedy,
    )


def _beginning(sql: str) -> str:
    """Return the first words of a statement; DDL has no parameters."""
    return sql if len(sql) <= _SHOWN else f"{sql[:_SHOWN]} …"
