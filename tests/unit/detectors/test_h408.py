"""H408: a pool that cannot serve the endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from harness.detectors.connections.pool_settings import inspect
from harness.detectors.finding import Finding
from harness.graph.facts import AppGraph, Dependency, Engine, OriginalEngine, Route, Use
from tests.support.tapes import VERSIONS, at, told


def found(*, threaded: bool = True, **changes: Any) -> list[Finding]:
    """What is found for an engine of PostgreSQL that one endpoint uses."""
    facts = {"backend": "postgresql", "server": True, "asynchronous": False, "pool": "QueuePool", **changes}
    engine = Engine(name="engine", site=at("app/db.py:3 <module>"), original=OriginalEngine(**facts))
    use = Use(consumer="app.api.read", routes=(Route(methods=("GET",), path="/", threaded=threaded),))
    dependency = Dependency(name="app.db.get_db", engines=(engine,), uses=(use,))
    return list(inspect(AppGraph(dependencies=(dependency, dependency)), VERSIONS))


def test_a_pool_that_is_smaller_than_the_threadpool_is_reported_once() -> None:
    """With both numbers."""
    assert [
        "H408 engine has at most 15 connections for the 40 threads that serve its def endpoint "
        "@ app/db.py:3 in <module>"
    ] == told(found(size=5, overflow=10))


@pytest.mark.parametrize(
    ("pool", "text"),
    [("NullPool", "engine has no pool"), ("StaticPool", "engine keeps one connection to postgresql")],
)
def test_no_pool_or_one_connection_to_a_server_is_reported(pool: str, text: str) -> None:
    """Also of an asynchronous engine."""
    for asynchronous in (True, False):
        (finding,) = found(pool=pool, asynchronous=asynchronous, threaded=False)
        assert text in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 10, "overflow": 30},
        {"size": 5, "overflow": -1},
        {"size": 0, "overflow": 10},
        {"size": 5, "overflow": None},
        {"size": 5, "overflow": 10, "asynchronous": True},
        {"size": 5, "overflow": 10, "threaded": False},
        {"pool": "StaticPool", "backend": "sqlite", "server": False},
        {"pool": "NullPool", "backend": "sqlite", "server": False},
    ],
)
def test_a_pool_that_fits_or_is_not_known_is_right(changes: dict[str, Any]) -> None:
    """Large enough, without limit, without threads, without a server."""
    assert [] == found(**changes)
