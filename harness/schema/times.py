"""What a PostgreSQL database needs so that time advances in it: functions, and defaults and triggers that call them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from harness.errors import SchemaError
from harness.isolation.timewords import SCHEMA, functions, retimed

if TYPE_CHECKING:
    from sqlalchemy import Engine

_DEFAULTS = r"""
SELECT format('%I.%I', n.nspname, c.relname), format('%I', a.attname), pg_get_expr(d.adbin, d.adrelid),
       pg_has_role(c.relowner, 'USAGE')
FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attgenerated = '' AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2
"""
_FUNCTIONS = rf"""
SELECT format('%I.%I', n.nspname, p.proname), pg_get_functiondef(p.oid), pg_has_role(p.proowner, 'USAGE')
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('plpgsql', 'sql') AND p.prokind IN ('f', 'p')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', '{SCHEMA}')
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
ORDER BY 1, 2
"""


def install(engine: Engine) -> None:
    """Make the functions; what is made after this may call them.

    Raises:
        SchemaError: the role may not make a schema.
    """
    try:
        send(functions(), engine)
    except DBAPIError as error:
        raise SchemaError(
            "harness_now 'advancing' cannot be used in this database",
            why=f"it needs a schema {SCHEMA} with functions of its own, and the server says: "
            + " ".join(str(error.orig).split()),
            remedy="GRANT CREATE ON DATABASE … TO the role of the URL,\n"
            "or let time stand still within a test: harness_now = frozen",
        ) from error


def send(statements: Iterable[str], engine: Engine) -> None:
    """Execute statements without parameters, in one transaction."""
    with engine.begin() as connection:
        plain = connection.execution_options(no_parameters=True)  # a percent sign in them is one
        for statement in statements:
            plain.exec_driver_sql(statement)


def rebindings(engine: Engine) -> tuple[str, ...]:
    """Return the statements that let the defaults and functions which are in the database call harness's functions.

    Raises:
        SchemaError: the role may not change one of them.
    """
    found, refused = [], []
    with engine.connect().execution_options(no_parameters=True) as connection:
        for table, column, default, own in connection.exec_driver_sql(_DEFAULTS).all():
            if (changed := retimed(default)) != default:
                found.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {changed}")
                refused += [] if own else [f"the default of {table}.{column}"]
        for function, source, own in connection.exec_driver_sql(_FUNCTIONS).all():
            if (changed := retimed(source)) != source:
                found.append(changed.strip())
                refused += [] if own else [f"the function {function}"]
    if refused:
        raise SchemaError(
            "harness_now 'advancing' cannot be used in this database",
            where="\n".join(refused),
            why="they ask for the time of the transaction, and only their owner may have them ask harness instead, "
            "which each test's transaction does and takes back",
            remedy="connect as their owner, or let time stand still within a test: harness_now = frozen",
        )
    return tuple(found)
