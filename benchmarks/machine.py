"""On what the figures were measured."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

_DISTRIBUTIONS = ("sqlalchemy", "fastapi", "starlette", "pytest", "psycopg", "asyncpg", "aiosqlite")


def load() -> float | None:
    """Return how many processes want a core, as a mean over the last minute; None where nobody counts."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def described() -> dict[str, Any]:
    """Return versions, cores and the load before the run: other processes make every figure larger."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load before": load(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in _DISTRIBUTIONS},
    }
