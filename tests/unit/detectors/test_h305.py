"""H305: asynchronous sessions whose objects expire at each commit."""

from __future__ import annotations

from harness.detectors.asynchrony.expires_on_commit import inspect
from harness.graph.facts import AppGraph, Dependency, Factory
from tests.support.tapes import VERSIONS, at, told


def graph(*, expires: bool) -> AppGraph:
    """Two dependencies with one factory."""
    factory = Factory(name="SessionLocal", site=at("app/db.py:7 <module>"), expires_on_commit=expires)
    return AppGraph(
        dependencies=tuple(
            Dependency(name=f"app.db.{name}", site=at(f"app/db.py:9 {name}"), factories=(factory,))
            for name in ("get_db", "get_other")
        )
    )


def test_a_factory_is_reported_once() -> None:
    """However many dependencies use it."""
    (finding,) = inspect(graph(expires=True), VERSIONS)

    assert ["H305 the sessions of SessionLocal expire all their objects at each commit @ app/db.py:7 in <module>"] == (
        told([finding])
    )
    assert ["get_db gives them to requests"] == [piece.text for piece in finding.evidence]


def test_one_that_expires_nothing_is_right() -> None:
    """As it is made with expire_on_commit=False."""
    assert [] == list(inspect(graph(expires=False), VERSIONS))
