"""Async tests that nobody would run: pytest needs a plugin for them, and the plugin needs a sign.

anyio comes with FastAPI and brings such a plugin, whose sign is a marker or the fixture `anyio_backend`. A coroutine
test that asks for one of harness's async fixtures and gives no sign to anybody is handed to it, on asyncio.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from harness.run.definitions import closure_of, home_of

_ASYNC_FIXTURES = frozenset({"async_client", "async_db_session", "async_db_engine"})
_SIGNS = frozenset({"anyio", "asyncio", "trio"})


def adopt(collector: pytest.Collector, name: str, function: Any) -> None:
    """Let anyio run a coroutine test that uses harness's async fixtures and that no other plugin will run."""
    if not inspect.iscoroutinefunction(function) or not isinstance(collector, pytest.Module | pytest.Class):
        return
    if not collector.istestfunction(function, name) or _claimed(collector, function):
        return
    closure = closure_of(collector, function)
    uses = (fixture for fixture in _ASYNC_FIXTURES.intersection(closure))
    if "anyio_backend" in closure or not any(home_of(collector, fixture).startswith("harness.") for fixture in uses):
        return
    backend = home_of(collector, "anyio_backend")
    if backend:
        pytest.mark.usefixtures("anyio_backend")(function)
    if backend.startswith("anyio."):  # not the user's own, which says which backend it wants
        pytest.mark.parametrize("anyio_backend", ["asyncio"], ids=[pytest.HIDDEN_PARAM], scope="session")(function)


def _claimed(collector: pytest.Collector, function: Any) -> bool:
    markers = {marker.name for marker in (*collector.iter_markers(), *getattr(function, "pytestmark", ()))}
    config = collector.config
    if markers & _SIGNS:
        return True
    if config.pluginmanager.has_plugin("asyncio"):
        mode = config.getoption("asyncio_mode", None) or config.getini("asyncio_mode")
        if str(getattr(mode, "value", mode)) == "auto":
            return True
    return bool(config.pluginmanager.has_plugin("anyio")) and _anyio_mode(config) == "auto"


def _anyio_mode(config: pytest.Config) -> str:
    try:
        return str(config.getini("anyio_mode"))
    except (KeyError, ValueError):  # anyio before 4.8 has no modes
        return "strict"
