"""Build the schema with Alembic: upgrade to head."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import SchemaError
from harness.schema.environment import load_config, run_apart

if TYPE_CHECKING:
    from sqlalchemy import Engine


def upgrade(config_file: Path, engine: Engine) -> list[str]:
    """Upgrade the test database to head.

    The environment script makes its engine as it always does; harness captures it, so it lands in the test database
    whatever URL it reads.

    Raises:
        MissingExtra: Alembic is not installed.
        SchemaError: a migration failed.
    """
    config = load_config(config_file, engine.url)
    from alembic import command

    try:
        run_apart(lambda: command.upgrade(config, "head"))
    except Exception as failure:
        raise SchemaError(
            f"the migrations failed: {type(failure).__name__}",
            where=str(config_file),
            why=" ".join(str(failure).split())[:600] or None,
            remedy="run `alembic upgrade head` against an empty database to see the same error",
        ) from failure
    return []
