"""How the tables get into the test database: which way, decided from the settings, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import SchemaError

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPlan:
    """A way to build the schema.

    Attributes:
        how: for the report header.
        build: builds it through an engine whose commits are real; returns notes for the report, if any.
        made_from: what it is made from, for its fingerprint; given the engine and the user's environment variables.
            None: nothing is made. It raises SchemaError where that cannot be told.
    """

    how: str
    build: Callable[[Engine], list[str]]
    made_from: Callable[[Engine, Mapping[str, str]], list[str]] | None = None


def plan_schema(
    wanted: str | None,
    find_metadata: Callable[[], tuple[MetaData, ...]],
    resolve: Callable[[str], Callable[..., object]],
    root: Path,
    *,
    counted: bool = False,
    belongs: Callable[[Table], bool] | None = None,
) -> SchemaPlan:
    """Choose the way.

    Args:
        wanted: the option's value; None means that it was not given.
        find_metadata: finds the tables of the application; called when the schema is built.
        resolve: resolves 'pkg.module:function'.
        root: the project's directory, where an alembic.ini is looked for.
        counted: whether SQLite shall count the ids of tables made from metadata, so that they can be given a range.
        belongs: tells whether a table is in this database; without it, all are.

    Raises:
        SchemaError: migrations were asked for and there is no alembic.ini.
    """
    if wanted == "none":
        return SchemaPlan(how="none", build=lambda engine: [])
    if wanted is not None and wanted.partition(":")[0] == "alembic":
        from harness.schema.environment import find_config, named_config
        from harness.schema.migrations import upgrade

        config = named_config(root, wanted) if ":" in wanted else find_config(root)
        return SchemaPlan(
            how=f"alembic ({config.relative_to(root)})",
            build=lambda engine: upgrade(config, engine),
            made_from=lambda engine, environment: _of_migrations(config, root, environment, find_metadata(), engine),
        )
    if wanted is None or wanted == "metadata":
        from harness.schema.tables import create_tables

        return SchemaPlan(
            how="metadata",
            build=lambda engine: create_tables(find_metadata(), engine, counted, belongs),
            made_from=lambda engine, environment: _of_metadata(find_metadata(), engine, belongs),
        )
    return SchemaPlan(
        how=wanted,
        build=lambda engine: _call(wanted, resolve(wanted), engine),
        made_from=lambda engine, environment: _of_function(wanted),
    )


def _of_metadata(found: tuple[MetaData, ...], engine: Engine, belongs: Callable[[Table], bool] | None) -> list[str]:
    from harness.schema.fingerprint import of_metadata

    tables = (table for metadata in found for table in metadata.tables.values())
    here = ["all"] if belongs is None else sorted(table.key for table in tables if belongs(table))
    return ["metadata", *here, *of_metadata(found, engine.dialect)]


def _of_migrations(
    config: Path, root: Path, environment: Mapping[str, str], found: tuple[MetaData, ...], engine: Engine
) -> list[str]:
    from harness.schema.fingerprint import of_metadata, of_migrations

    # Migrations may make tables of the application's models.
    return ["alembic", *of_migrations(config, root, environment), *of_metadata(found, engine.dialect)]


def _of_function(name: str) -> list[str]:
    raise SchemaError(
        "no fingerprint of the schema can be computed", why=f"the function {name} makes it, and may read anything"
    )


def _call(name: str, function: Callable[..., object], engine: Engine) -> list[str]:
    try:
        function(engine)
    except Exception as error:
        raise SchemaError(
            f"harness_schema {name!r} failed: {type(error).__name__}: {error}",
            remedy="the function is called once per run with an Engine of the test database; its commits are real",
        ) from error
    return []
