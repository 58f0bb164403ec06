"""H109: what stands in Depends, or in a default, does not make one session per request."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.sharing.session_as_default import inspect
from harness.graph.facts import AppGraph, DefaultSession, Dependency, Function, Sort, Use
from tests.support.tapes import VERSIONS, at, told


def found(*dependencies: Dependency) -> list[Finding]:
    """What is found in an application with these dependencies."""
    return list(inspect(AppGraph(dependencies=dependencies), VERSIONS))


def test_a_factory_is_reported_where_it_is_asked_for() -> None:
    """At the first place, with the others as evidence."""
    uses = tuple(Use(consumer=f"app.api.{name}", parameter="db", site=at(f"app/api.py:7 {name}")) for name in "abc")
    (finding,) = found(Dependency(name="app.db.SessionLocal", gives=Sort.SESSION, factory=True, uses=uses))

    assert [
        "H109 a depends on the session factory SessionLocal itself, and so do 2 more, and nobody closes its sessions "
        "@ app/api.py:7 in a"
    ] == told([finding])
    assert ["b asks for it", "c asks for it"] == [piece.text for piece in finding.evidence]


def test_a_cache_is_reported_where_it_is() -> None:
    """It may be a function that the dependency calls."""
    findings = found(Dependency(name="app.db.get_db", gives=Sort.SESSION, cached=at("app/db.py:4 new_session")))

    assert ["H109 get_db gives the same session to every request, out of a cache @ app/db.py:4 in new_session"] == (
        told(findings)
    )


def test_a_default_is_reported_once_for_all_that_call_its_function() -> None:
    """With the name of its parameter."""
    default = DefaultSession(parameter="db", sort=Sort.SESSION, site=at("app/crud.py:3 find"))
    dependencies = [
        Dependency(name=name, function=Function(name=name, site=at("app/api.py:1 f"), defaults=(default,)))
        for name in ("app.a", "app.b")
    ]

    assert [
        "H109 the default of db is one Session, made when the module was imported and shared by all callers of find "
        "@ app/crud.py:3 in find"
    ] == told(found(*dependencies))


def test_a_dependency_that_makes_its_own_is_right() -> None:
    """Whatever its name."""
    assert [] == found(Dependency(name="app.db.SessionLocal", gives=Sort.SESSION, uses=(Use(consumer="app.a"),)))
