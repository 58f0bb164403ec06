"""Bring the database of the settings to a revision."""

from __future__ import annotations

from alembic import context
from sqlalchemy import NullPool, create_engine

from sample_app.settings import Settings

with create_engine(Settings.from_environment().url, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
