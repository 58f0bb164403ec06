"""Test FastAPI + SQLAlchemy applications on a real database, each test in one transaction.

Importing this package runs nothing and loads no third party; names are resolved when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.client.blocking import Client
    from harness.client.concurrent import AsyncClient
    from harness.errors import (
        AppError,
        BudgetError,
        ClientError,
        ConfigError,
        DatabaseUnavailable,
        DependencyError,
        EngineUnavailable,
        EscapeError,
        FactoryError,
        HarnessError,
        IsolationError,
        MigrationError,
        MissingExtra,
        OverlapError,
        SchemaError,
        UnsafeDatabase,
    )
    from harness.factories.automatic import factory
    from harness.factories.calls import create, create_batch
    from harness.migrations.runner import Migrations
    from harness.observe.queries import Query
    from harness.queries.statements import Queries
    from harness.run.asserting import AssertQueries
    from harness.run.handle import Harness

__all__ = [
    "AppError",
    "AssertQueries",
    "AsyncClient",
    "BudgetError",
    "Client",
    "ClientError",
    "ConfigError",
    "DatabaseUnavailable",
    "DependencyError",
    "EngineUnavailable",
    "EscapeError",
    "FactoryError",
    "Harness",
    "HarnessError",
    "IsolationError",
    "MigrationError",
    "Migrations",
    "MissingExtra",
    "OverlapError",
    "Queries",
    "Query",
    "SchemaError",
    "UnsafeDatabase",
    "create",
    "create_batch",
    "factory",
]

#: So that `-p harness` also works from a checkout that is on the path but not installed.
pytest_plugins = ("harness.plugin",)

_HOMES = {
    "Client": "harness.client.blocking",
    "AsyncClient": "harness.client.concurrent",
    "Harness": "harness.run.handle",
    "AssertQueries": "harness.run.asserting",
    "Migrations": "harness.migrations.runner",
    "Queries": "harness.queries.statements",
    "Query": "harness.observe.queries",
    "create": "harness.factories.calls",
    "create_batch": "harness.factories.calls",
    "factory": "harness.factories.automatic",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-fastapi-harness")
    if name not in __all__:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "harness.errors")), name)


def __dir__() -> list[str]:
    return __all__
