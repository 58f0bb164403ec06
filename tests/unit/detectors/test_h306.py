"""H306: annotation and dependency disagree."""

from __future__ import annotations

import pytest

from harness.detectors.asynchrony.annotation_mismatch import inspect
from harness.detectors.finding import Finding
from harness.graph.facts import AppGraph, Dependency, Sort, Use
from tests.support.tapes import VERSIONS, at, told


def found(gives: Sort | None, *declared: Sort | None) -> list[Finding]:
    """What is found when parameters of `a`, `b`, … are declared so."""
    uses = tuple(
        Use(consumer=f"app.api.{name}", parameter="db", declared=one, site=at(f"app/api.py:7 {name}"))
        for name, one in zip("abcd", declared, strict=False)
    )
    dependency = Dependency(name="app.db.get_db", gives=gives, site=at("app/db.py:5 get_db"), uses=uses)
    return list(inspect(AppGraph(dependencies=(dependency,)), VERSIONS))


def test_the_first_wrong_parameter_is_reported_with_the_number_of_the_others() -> None:
    """One finding for a dependency that was replaced: it is one migration that was left half-way."""
    (finding,) = found(Sort.ASYNC_SESSION, Sort.ASYNC_SESSION, Sort.SESSION, Sort.SESSION, Sort.SESSION)

    assert ["H306 b declares db as Session, and 2 more do, but get_db gives AsyncSession @ app/api.py:7 in b"] == told(
        [finding]
    )
    assert "declare it AsyncSession, as get_db gives it" == finding.fix
    assert "app.db.get_db" == finding.subject


def test_the_other_way_round_is_reported_too() -> None:
    """And connections likewise."""
    assert ["H306 a declares db as AsyncSession, but get_db gives Session @ app/api.py:7 in a"] == (
        told(found(Sort.SESSION, Sort.ASYNC_SESSION))
    )
    assert 1 == len(found(Sort.CONNECTION, Sort.ASYNC_CONNECTION))


@pytest.mark.parametrize(
    ("gives", "declared"),
    [
        (Sort.SESSION, Sort.SESSION),
        (Sort.SESSION, None),
        (None, Sort.SESSION),
        (Sort.ASYNC_FACTORY, Sort.ASYNC_SESSION),
    ],
)
def test_what_agrees_or_is_not_certain_is_right(gives: Sort | None, declared: Sort | None) -> None:
    """A session from a factory is a matter of calling it."""
    assert [] == found(gives, declared)
