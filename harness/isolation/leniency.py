"""What SQLite would refuse although the application is right, because it is written for a server.

Only for engines whose dialect harness has replaced by SQLite's, and for its own beside them. Where the application
itself runs on SQLite nothing is changed: there production refuses it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid
from sqlalchemy.engine import Dialect


def accept_what_servers_accept(dialect: Dialect) -> None:
    """Make a SQLite dialect number keys of every integer size, and take UUIDs that are given as text.

    - SQLite numbers only a key whose type is exactly INTEGER; a BIGINT key, which servers number happily, would have
      to be given. SQLite stores both in up to 64 bits.
    - A server's own UUID type takes text through every driver; SQLAlchemy's emulation of it wants a UUID object.
    """
    own: Any = dialect
    for name in ("visit_BIGINT", "visit_SMALLINT"):
        setattr(own.type_compiler_instance, name, _numbered(getattr(own.type_compiler_instance, name)))
    own.colspecs = {**own.colspecs, Uuid: _UuidOrText}


def _numbered(original: Callable[..., str]) -> Callable[..., str]:
    def visit(type_: Any, **options: Any) -> str:
        column = options.get("type_expression")
        table = getattr(column, "table", None)
        if table is not None and column is table.autoincrement_column:
            return "INTEGER"
        return original(type_, **options)

    return visit


class _UuidOrText(Uuid[Any]):
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        process: Callable[[Any], Any] | None = super().bind_processor(dialect)
        if process is None or not self.as_uuid:
            return process
        to_text = process
        return lambda value: to_text(UUID(value) if isinstance(value, str) else value)
