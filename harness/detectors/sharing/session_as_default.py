"""H109: what stands in `Depends(...)`, or in a default, does not make one session per request.

Found in the source only. The subject is the factory or the parameter, since one function can have several.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import CallSite
from harness.detectors.finding import Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency

RULE = Rule(
    code="H109",
    name="session not made per request",
    severity=Severity.ERROR,
    what=(
        "A dependency is the session factory itself, a session is the default value of a parameter, or a dependency "
        "gives a session out of a cache."
    ),
    why=(
        "FastAPI takes the factory's own arguments for query parameters and closes nothing; a default value and a "
        "cached session are made once and shared by all requests"
    ),
    fix="write a generator that makes a session, yields it and closes it, and depend on that",
    wrong="""
        @app.get("/items")
        def read_items(db: Session = Depends(SessionLocal)):
            return db.scalars(select(Item)).all()
    """,
    right="""
        def get_db():
            with SessionLocal() as db:
                yield db

        @app.get("/items")
        def read_items(db: Session = Depends(get_db)):
            return db.scalars(select(Item)).all()
    """,
    quiet=(
        "a dependency that gives the factory on purpose, as return SessionLocal",
        "a cached function that gives an engine, a factory or settings",
    ),
    runtime=False,
    graph=True,
)

_SHOWN = 3


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each factory, default value and cache from which requests get their session."""
    for dependency in graph.dependencies:
        if dependency.factory:
            yield from _factory(dependency)
        elif dependency.cached:
            yield Finding(
                rule=RULE,
                message=f"{dependency.short} gives the same session to every request, out of a cache",
                site=dependency.cached,
                fix="remove the cache: cache the engine or the factory instead, and make a session for each request",
                subject="cache",
                graph=True,
            )
    yield from _defaults(graph)


def _factory(dependency: Dependency) -> Iterator[Finding]:
    uses = [use for use in dependency.uses if use.site]
    if not uses:
        return
    name = dependency.short
    more = f", and so do {len(uses) - 1} more" if len(uses) > 1 else ""
    yield Finding(
        rule=RULE,
        message=f"{uses[0].short} depends on the session factory {name} itself{more}, and nobody closes its sessions",
        site=uses[0].site,
        evidence=tuple(Evidence(f"{use.short} asks for it", use.site) for use in uses[1 : 1 + _SHOWN]),
        subject=name,
        graph=True,
    )


def _defaults(graph: AppGraph) -> Iterator[Finding]:
    seen: set[tuple[CallSite, str]] = set()
    for function in graph.functions():
        for default in function.defaults:
            key = (default.site, default.parameter)
            if key not in seen:
                seen.add(key)
                yield Finding(
                    rule=RULE,
                    message=(
                        f"the default of {default.parameter} is one {default.sort.value}, made when the module was "
                        f"imported and shared by all callers of {default.site.function}"
                    ),
                    site=default.site,
                    fix="give the parameter no default, and pass the request's session",
                    subject=default.parameter,
                    graph=True,
                )
