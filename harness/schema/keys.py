"""Integer keys of applications that are written for another database, on SQLite.

SQLite numbers only a key whose type is exactly INTEGER; a BIGINT key, which PostgreSQL numbers happily, would have to be
given. SQLite stores both in up to 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, MetaData
from sqlalchemy.types import BigInteger, SmallInteger

NOTE = "big and small integer keys are INTEGER on SQLite, which numbers no others"


def number_all_keys(engine: Engine, found: tuple[MetaData, ...]) -> list[str]:
    """Let an engine of harness's own create numbered keys of every integer size as INTEGER; return a note if any are."""
    compiler = engine.dialect.type_compiler_instance
    for name in ("visit_BIGINT", "visit_SMALLINT"):
        setattr(compiler, name, _as_integer(getattr(compiler, name)))
    keys = (table.autoincrement_column for metadata in found for table in metadata.tables.values())
    return [NOTE] if any(key is not None and isinstance(key.type, BigInteger | SmallInteger) for key in keys) else []


def _as_integer(original: Callable[..., str]) -> Callable[..., str]:
    def visit(type_: Any, **options: Any) -> str:
        column = options.get("type_expression")
        table = getattr(column, "table", None)
        if table is not None and column is table.autoincrement_column:
            return "INTEGER"
        return original(type_, **options)

    return visit
