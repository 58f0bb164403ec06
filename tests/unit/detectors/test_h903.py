"""H903: an override hides a finding."""

from __future__ import annotations

from harness.detectors.finding import Finding
from harness.detectors.upkeep.override_hides_finding import inspect
from harness.graph.facts import AppGraph, Dependency, ExitCommit, Factory, Function
from tests.support.tapes import VERSIONS, at, told


def found(*overridden: str, faulty: bool = True) -> list[Finding]:
    """What is found when tests replace these, and get_db commits in its finally."""
    commit = ExitCommit(site=at("app/db.py:9 get_db"), block=False, after_error=True)
    function = Function(name="app.db.get_db", site=at("app/db.py:5 get_db"), commits=(commit,) if faulty else ())
    expiring = Factory(name="Local", site=at("app/db.py:1 <module>"), expires_on_commit=True)
    dependency = Dependency(name="app.db.get_db", site=function.site, function=function, factories=(expiring,))
    return list(inspect(AppGraph(dependencies=(dependency,), overridden=frozenset(overridden)), VERSIONS))


def test_a_fault_in_a_replaced_dependency_is_reported() -> None:
    """At the dependency, with the fault as evidence."""
    (finding,) = found("app.db.get_db")

    assert [
        "H903 tests replace get_db, so none of them can meet what is found in it: H205 commit although the request "
        "failed @ app/db.py:5 in get_db"
    ] == told([finding])
    assert [at("app/db.py:9 get_db")] == [piece.site for piece in finding.evidence]


def test_a_dependency_that_is_right_or_not_replaced_hides_nothing() -> None:
    """And what is only worth mentioning is not worth hiding."""
    assert [] == found("app.db.get_other")
    assert [] == found("app.db.get_db", faulty=False)
