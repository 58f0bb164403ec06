"""H903: tests replace a dependency whose production code breaks a rule, so no test can meet that.

Found in the source only: the other rules of the dependency tree are asked again, about the replaced dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors.asynchrony import annotation_mismatch, blocking_call, coroutine_not_awaited
from harness.detectors.connections import engine_per_request
from harness.detectors.finding import Evidence, Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.sharing import session_as_default, session_shared_by_requests
from harness.detectors.transactions import commit_after_response, commit_on_error
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency

RULE = Rule(
    code="H903",
    name="override hides a finding",
    severity=Severity.WARNING,
    what="Tests replace a dependency in app.dependency_overrides, and the one that production uses breaks a rule.",
    why="the code that has the fault never runs in a test, so no test can fail because of it",
    fix="mend the dependency; or do not replace it: harness isolates what it does with the database anyway",
    wrong="""
        app.dependency_overrides[get_db] = lambda: test_session
    """,
    right="""
        # nothing: get_db itself runs, in the test's transaction
    """,
    quiet=("dependencies in which no rule finds anything, and findings of severity info",),
    runtime=False,
    graph=True,
)

_RULES = (
    session_shared_by_requests,
    session_as_default,
    commit_after_response,
    commit_on_error,
    blocking_call,
    coroutine_not_awaited,
    annotation_mismatch,
    engine_per_request,
)


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each replaced dependency in which another rule finds an error or a warning."""
    replaced = [dependency for dependency in graph.dependencies if dependency.name in graph.overridden]
    for dependency in replaced:
        # Asked about this dependency alone, so that a rule which tells a shared cause once tells it here too.
        alone = AppGraph(dependencies=(dependency,))
        hidden = [
            finding
            for rule in _RULES
            for finding in rule.inspect(alone, versions)
            if finding.severity >= Severity.WARNING
        ]
        if hidden:
            yield _told(dependency, hidden)


def _told(dependency: Dependency, hidden: list[Finding]) -> Finding:
    named = ", ".join(dict.fromkeys(f"{finding.rule.code} {finding.rule.name}" for finding in hidden))
    return Finding(
        rule=RULE,
        message=f"tests replace {dependency.short}, so none of them can meet what is found in it: {named}",
        site=dependency.site or hidden[0].site,
        evidence=tuple(Evidence(f"{finding.rule.code}: {finding.message}", finding.site) for finding in hidden),
        subject=dependency.name,
        graph=True,
    )
