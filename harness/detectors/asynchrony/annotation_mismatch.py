"""H306: a parameter is declared a Session, and its dependency gives an AsyncSession, or the other way round.

Found in the source only. One finding per dependency, however many parameters are wrong, at the first of them; its
subject is the dependency.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors.finding import Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency

RULE = Rule(
    code="H306",
    name="annotation and dependency disagree",
    severity=Severity.ERROR,
    what="A parameter is declared a Session, and its dependency gives an AsyncSession, or the other way round.",
    why="type checkers believe the annotation: a missing await is no longer seen, and its work is never done",
    fix="declare what the dependency gives",
    wrong="""
        @app.get("/items")
        async def read_items(db: Session = Depends(get_async_db)):
            return (await db.scalars(select(Item))).all()
    """,
    right="""
        @app.get("/items")
        async def read_items(db: AsyncSession = Depends(get_async_db)):
            return (await db.scalars(select(Item))).all()
    """,
    quiet=(
        "parameters declared Any, not at all, or Session | AsyncSession",
        "dependencies of which it is not certain what they give",
    ),
    runtime=False,
    graph=True,
)

_SHOWN = 5


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each dependency that is declared to be of the other world somewhere."""
    for dependency in graph.dependencies:
        finding = _disagreement(dependency)
        if finding:
            yield finding


def _disagreement(dependency: Dependency) -> Finding | None:
    gives = dependency.gives
    wrong = [use for use in dependency.uses if gives and use.declared is gives.opposite and use.site]
    if not wrong or gives is None:
        return None
    first, more = wrong[0], f", and {len(wrong) - 1} more do" if len(wrong) > 1 else ""
    return Finding(
        rule=RULE,
        message=(
            f"{first.short} declares {first.parameter} as {gives.opposite.value}{more}, but {dependency.short} gives "
            f"{gives.value}"
        ),
        site=first.site,
        evidence=(
            Evidence(f"{dependency.short} gives {gives.value}", dependency.site),
            *(Evidence(f"{use.short} declares {use.parameter}", use.site) for use in wrong[1:_SHOWN]),
        ),
        fix=f"declare it {gives.value}, as {dependency.short} gives it",
        subject=dependency.name,
        graph=True,
    )
