"""Bring the database of the settings to a revision, or one whose connection the caller hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import NullPool, create_engine

from sample_app.models import Base
from sample_app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    """Run the migrations on the given connection, else on the database of the settings."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    with create_engine(Settings.from_environment().url, poolclass=NullPool).connect() as connection:
        migrate(connection)


def migrate_offline() -> None:
    """Print the SQL instead of running it."""
    context.configure(
        url=Settings.from_environment().url,
        target_metadata=Base.metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
