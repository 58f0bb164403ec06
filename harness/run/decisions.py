"""The fixtures that a conftest may override to take a decision, and how the run hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.config.options import EMPTY
from harness.run.definitions import home_of

#: Fixture → the decision it takes.
DECISIONS = {
    "harness_app": "app",
    "harness_metadata": "metadata",
    "harness_schema": "schema",
    "harness_database_url": "database",
}


def is_override(fixturedef: pytest.FixtureDef[Any]) -> bool:
    """Tell whether a fixture is a decision fixture that is not harness's own."""
    return fixturedef.argname in DECISIONS and not fixturedef.func.__module__.startswith("harness.")


def hear_first(item: pytest.Item) -> None:
    """Have a conftest's decisions set up before all other fixtures of the test, also if it asks for none of them."""
    names = getattr(item, "fixturenames", None)
    if names is None:
        return
    for name in DECISIONS:
        if name not in names and decides(item, name):
            names.insert(0, name)


def decides(item: pytest.Item, name: str) -> bool:
    """Tell whether a decision fixture, as a test would get it, is not harness's own."""
    return not home_of(item, name).startswith("harness.")


def isolation_of(item: pytest.Item, wanted: str | None, default: str) -> str:
    """Return how a test is isolated: what its marker says, else the option; a test of migrations has an empty database.

    Args:
        item: the test.
        wanted: what its marker says.
        default: what the option says.
    """
    if "migrations" in getattr(item, "fixturenames", ()) and home_of(item, "migrations").startswith("harness."):
        return EMPTY
    return wanted or default


def prefers_async(item: pytest.Item) -> bool:
    """Tell whether the session of a test is harness's asynchronous one, and only that."""
    names = getattr(item, "fixturenames", ())
    if "async_db_session" not in names or "db_session" in names:
        return False
    return home_of(item, "async_db_session").startswith("harness.")
