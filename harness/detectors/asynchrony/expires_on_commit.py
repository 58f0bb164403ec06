"""H305: asynchronous sessions whose objects expire at each commit. Found in the source only."""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import CallSite
from harness.detectors.finding import Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph

RULE = Rule(
    code="H305",
    name="async session expires on commit",
    severity=Severity.INFO,
    what="A dependency takes its AsyncSession from a factory that leaves expire_on_commit on.",
    why=(
        "after a commit every attribute has to be loaded again, which reading an attribute cannot await: it raises "
        "MissingGreenlet, often first in the response"
    ),
    fix="pass expire_on_commit=False to the factory",
    wrong="""
        SessionLocal = async_sessionmaker(engine)
    """,
    right="""
        SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
    """,
    quiet=(
        "factories of synchronous sessions, which load again by themselves",
        "factories that no dependency uses, and session classes with a constructor of their own",
    ),
    runtime=False,
    graph=True,
)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each factory, once, whichever dependencies use it."""
    told: set[CallSite] = set()
    for dependency in graph.dependencies:
        for factory in dependency.factories:
            if factory.expires_on_commit and factory.site not in told:
                told.add(factory.site)
                yield Finding(
                    rule=RULE,
                    message=f"the sessions of {factory.name} expire all their objects at each commit",
                    site=factory.site,
                    evidence=(Evidence(f"{dependency.short} gives them to requests", dependency.site),),
                    graph=True,
                )
