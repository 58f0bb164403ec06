"""What autogenerate would write now: models and migrations compared by env.py's own settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import MigrationError
from harness.schema.comparison import told
from harness.schema.environment import run_apart

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import MetaData

    from harness.migrations.history import History


def differences(config: Config, history: History, models: Callable[[], Sequence[MetaData]]) -> list[str]:
    """Return what the models have and the database has not, and the other way round, one short text each.

    The tables are those of env.py's `target_metadata`, and what it leaves out or does not compare is left out here
    (`include_object`, `include_name`, `compare_type`, …). SQLite keeps only an affinity of types, so there they are
    not compared.

    Args:
        config: Alembic's.
        history: the migrations.
        models: finds the tables of the application, for an env.py without `target_metadata`.

    Raises:
        MigrationError: the database is not at its newest revision, or there are no models.
        Exception: whatever env.py raises.
    """
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.environment import EnvironmentContext

    found: list[Any] = []

    def compare(current: Any, context: MigrationContext) -> list[Any]:
        if set(context.get_current_heads()) != set(history.heads):
            raise MigrationError(
                "models and migrations can only be compared at the newest revision",
                why=f"the database is at {', '.join(context.get_current_heads()) or 'no revision'}",
                remedy='call migrations.upgrade("heads") before',
            )
        target: Any = context.opts.get("target_metadata") or list(models())
        sqlite = context.dialect.name == "sqlite"
        found.extend(told(compare_metadata(context, target), detailed=True, types=not sqlite))
        return []

    def run() -> None:
        with EnvironmentContext(config, history.script, fn=compare, as_sql=False):
            history.script.run_env()

    run_apart(run)
    return sorted(set(found))
