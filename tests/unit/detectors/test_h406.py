"""H406: an engine for each request."""

from __future__ import annotations

from typing import Any

import pytest

from harness.detectors.connections.engine_per_request import detect, inspect
from harness.detectors.finding import Finding
from harness.graph.facts import AppGraph, Dependency, Endpoint, EngineMade, Function
from harness.observe.incidents import EngineBirth
from tests.support.tapes import VERSIONS, Story, at, place, told

HERE = "app/db.py:5 get_db"


def met(*births: tuple[int, str, str]) -> list[Finding]:
    """What is found when requests (by number) make engines for a URL at a place."""
    story = Story()
    requests = [story.request("GET /items") for _ in range(3)]
    story.tape.engines.extend(EngineBirth(url, story.tick(), place(at), requests[who]) for who, url, at in births)
    return list(detect(story.tape, VERSIONS))


def test_engines_of_two_requests_for_one_url_on_one_line_are_reported() -> None:
    """Once, with their number."""
    findings = met((0, "postgresql://host/shop", HERE), (1, "postgresql://host/shop", HERE))

    assert [
        "H406 2 requests made 2 engines for one URL, from GET /items to GET /items @ app/db.py:5 in get_db"
    ] == told(findings)


@pytest.mark.parametrize(
    "births",
    [
        [(0, "postgresql://host/shop", HERE)],
        [(0, "postgresql://host/a", HERE), (1, "postgresql://host/b", HERE)],
        [(0, "sqlite://", HERE), (1, "sqlite://", "app/db.py:9 get_read_db")],
        [(0, "sqlite://", HERE), (0, "sqlite://", HERE)],
    ],
    ids=["lazy singleton", "tenants", "reader and writer", "both made by the first request"],
)
def test_engines_that_are_made_once_are_right(births: list[tuple[int, str, str]]) -> None:
    """Lazily, for each tenant, for reading and writing."""
    assert [] == met(*births)


def function(**changes: Any) -> Function:
    """A function that makes an engine."""
    made = EngineMade(maker="create_engine", site=at(HERE), **changes)
    return Function(name="app.db.get_db", site=at("app/db.py:4 get_db"), engines=(made,))


def test_the_source_shows_it_at_the_same_place() -> None:
    """Once, however many dependencies share the helper."""
    dependency = Dependency(name="app.db.get_db", function=function())
    (finding,) = inspect(AppGraph(dependencies=(dependency, dependency)), VERSIONS)

    assert ["H406 get_db calls create_engine on each request that needs it @ app/db.py:5 in get_db"] == told([finding])
    assert "" == finding.subject


@pytest.mark.parametrize(("changes", "expected"), [({}, 1), ({"from_parameters": True}, 0), ({"disposed": True}, 0)])
def test_an_endpoint_may_try_out_a_url(changes: dict[str, bool], expected: int) -> None:
    """One that it is sent, or when it disposes of the engine."""
    graph = AppGraph(endpoints=(Endpoint(function=function(**changes), routes=()),))

    assert expected == len(list(inspect(graph, VERSIONS)))
