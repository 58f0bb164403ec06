"""H408: the pool of an engine cannot serve the endpoints that use it. Found in the source only."""

from __future__ import annotations

from collections.abc import Iterator

from harness.callsite import CallSite
from harness.detectors.finding import Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency, Engine

RULE = Rule(
    code="H408",
    name="pool cannot serve the endpoints",
    severity=Severity.INFO,
    what=(
        "The pool of an engine has fewer connections than there are threads for def endpoints, or keeps none, or one, "
        "of a database server."
    ),
    why=(
        "in a full house requests wait for a connection and fail after pool_timeout; without a pool every session "
        "connects anew"
    ),
    fix="let pool_size and max_overflow add up to 40, the threads that def endpoints share",
    wrong="""
        engine = create_engine(URL)  # 5 connections, and 10 in overflow
    """,
    right="""
        engine = create_engine(URL, pool_size=10, max_overflow=30)
    """,
    quiet=(
        "engines that no def endpoint uses, and those with max_overflow=-1",
        "SQLite in memory, and SQLite without a pool",
    ),
    runtime=False,
    graph=True,
)

#: How many `def` endpoints and dependencies anyio runs at a time, unless it is told otherwise.
THREADS = 40


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each engine whose pool does not fit its use."""
    told: set[CallSite] = set()
    for dependency in graph.dependencies:
        for engine in dependency.engines:
            finding = None if engine.site in told else _judge(engine, dependency)
            if finding:
                told.add(engine.site)
                yield finding


def _judge(engine: Engine, dependency: Dependency) -> Finding | None:
    made = engine.original
    if made.server and made.pool == "NullPool":
        return _finding(
            engine,
            dependency,
            f"{engine.name} has no pool: each session opens a connection to {made.backend} and closes it again",
            "leave poolclass out, unless a pooler such as PgBouncer stands before the server",
        )
    if made.server and made.pool == "StaticPool":
        return _finding(
            engine,
            dependency,
            f"{engine.name} keeps one connection to {made.backend}, which all requests share at the same time",
            "leave poolclass out: StaticPool is for in-memory databases",
        )
    threaded = [route for route in dependency.routes if route.threaded]
    if made.asynchronous or not threaded or made.size is None or made.overflow is None or made.overflow < 0:
        return None
    limit = made.size + made.overflow
    if not made.size or limit >= THREADS:  # a pool_size of 0 means no limit
        return None
    routes = "def endpoint" if len(threaded) == 1 else f"{len(threaded)} def endpoints"
    return _finding(
        engine,
        dependency,
        f"{engine.name} has at most {limit} connections for the {THREADS} threads that serve its {routes}",
        "",
    )


def _finding(engine: Engine, dependency: Dependency, message: str, fix: str) -> Finding:
    return Finding(
        rule=RULE,
        message=message,
        site=engine.site,
        evidence=(Evidence(f"{dependency.short} uses it", dependency.site),),
        fix=fix,
        subject=engine.name,
        graph=True,
    )
