"""A database's schema as a set of facts in words, so that two can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Inspector


def snapshot(engine: Engine) -> dict[str, str]:
    """Return what there is, and how it looks: names such as `column users.name`, each with a description."""
    with engine.connect() as connection:
        inspector = inspect(connection)
        facts: dict[str, str] = {}
        for schema in _schemas(connection, inspector):
            if schema is not None:
                facts[f"schema {schema}"] = ""
            facts.update(_tables(inspector, schema))
            for view in inspector.get_view_names(schema):
                facts[f"view {_dotted(schema, view)}"] = ""
        if connection.dialect.name == "postgresql":
            facts.update(_of_postgres(connection))
    return facts


def leftovers(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what an upgrade and its downgrade have not put back, a short text each.

    What belongs to a table that is missing or left is not told again.
    """
    left = sorted(set(after) - set(before))
    gone = sorted(set(before) - set(after))
    tables = {name.partition(" ")[2] for name in (*left, *gone) if name.startswith("table ")}
    found = [f"{name} is still there" for name in left if not _within(name, tables)]
    found += [f"{name} is gone" for name in gone if not _within(name, tables)]
    return found + [
        f"{name} was {before[name]} and is {after[name]}"
        for name in sorted(set(before) & set(after))
        if before[name] != after[name]
    ]


def _within(name: str, tables: set[str]) -> bool:
    kind, _, rest = name.partition(" ")
    return kind not in ("table", "type", "schema", "view") and any(rest.startswith(f"{table}.") for table in tables)


def _schemas(connection: Connection, inspector: Inspector) -> list[str | None]:
    if connection.dialect.name != "postgresql":
        return [None]
    others = [name for name in inspector.get_schema_names() if name not in ("information_schema", "public")]
    return [None, *others]


def _dotted(schema: str | None, *names: str) -> str:
    return ".".join((*((schema,) if schema else ()), *names))


def _tables(inspector: Inspector, schema: str | None) -> Iterator[tuple[str, str]]:
    """Yield the tables of a schema and all that belongs to them; asked for together, as databases have many."""
    columns = inspector.get_multi_columns(schema=schema)
    for (_, table), found in columns.items():
        yield f"table {_dotted(schema, table)}", ""
        for column in found:
            yield f"column {_dotted(schema, table, column['name'])}", _column(column)
    for (_, table), key in inspector.get_multi_pk_constraint(schema=schema).items():
        if key and key["constrained_columns"]:
            yield f"key {_dotted(schema, table, 'primary key')}", f"({_joined(key['constrained_columns'])})"
    for (_, table), indexes in inspector.get_multi_indexes(schema=schema).items():
        for index in indexes:
            if not index.get("duplicates_constraint"):
                what = f"{'unique ' if index['unique'] else ''}on ({_joined(index['column_names'])})"
                yield f"index {_dotted(schema, table, str(index['name']))}", what
    for (_, table), uniques in inspector.get_multi_unique_constraints(schema=schema).items():
        for unique in uniques:
            names = _joined(unique["column_names"])
            yield f"constraint {_dotted(schema, table, unique['name'] or names)}", f"unique ({names})"
    yield from _checks(inspector, schema)


def _checks(inspector: Inspector, schema: str | None) -> Iterator[tuple[str, str]]:
    for (_, table), foreigns in inspector.get_multi_foreign_keys(schema=schema).items():
        for foreign in foreigns:
            names, there = _joined(foreign["constrained_columns"]), _joined(foreign["referred_columns"])
            options = "".join(f" {name} {value}" for name, value in sorted((foreign.get("options") or {}).items()))
            target = f"references {foreign['referred_table']}({there}){options}"
            yield f"constraint {_dotted(schema, table, foreign['name'] or names)}", f"({names}) {target}"
    for (_, table), checks in inspector.get_multi_check_constraints(schema=schema).items():
        for check in checks:
            if check["name"]:
                yield f"constraint {_dotted(schema, table, check['name'])}", f"check ({check['sqltext']})"


def _column(column: Any) -> str:
    nullable = "NULL" if column["nullable"] else "NOT NULL"
    default = f" DEFAULT {column['default']}" if column.get("default") is not None else ""
    return f"{column['type']} {nullable}{default}"


def _joined(names: Any) -> str:
    return ", ".join(str(name) for name in names if name is not None)


def _of_postgres(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield enum types with their values, and sequences and functions: what survives the table that it was made for."""
    kinds = (
        "SELECT 'type ' || t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_type t"
        " JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.oid, t.typname",
        "SELECT 'sequence ' || c.relname, '' FROM pg_class c LEFT JOIN pg_depend d ON d.objid = c.oid"
        " AND d.deptype IN ('a', 'i', 'e') WHERE c.relkind = 'S' AND d.objid IS NULL",
        "SELECT 'function ' || p.proname, '' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'"
        " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'"
        " AND d.objid IS NULL",
        "SELECT 'extension ' || extname, '' FROM pg_extension WHERE extname <> 'plpgsql'",
    )
    for query in kinds:
        for name, look in connection.execute(text(query)):
            yield str(name), str(look)
