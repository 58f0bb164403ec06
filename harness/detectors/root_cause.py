"""One defect, one finding: several rules may meet one session, and only the nearest to the cause is told."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from harness.detectors.finding import Finding

#: Rule → those that only show what it does to the same session, or to the same connection without one.
_EXPLAINS = {
    "H101": frozenset({"H106", "H107", "H401", "H402"}),
    "H102": frozenset({"H101", "H103", "H104", "H106", "H107", "H401", "H402"}),
    "H103": frozenset({"H104"}),
    "H105": frozenset({"H106", "H107", "H401", "H402", "H407"}),
    "H106": frozenset({"H107", "H203", "H401", "H402"}),
    "H107": frozenset({"H401", "H402", "H404", "H407"}),
    "H108": frozenset({"H401", "H402", "H404", "H407"}),
    "H201": frozenset({"H202"}),
    "H204": frozenset({"H201", "H202", "H203", "H206"}),
    "H205": frozenset({"H207"}),
    "H206": frozenset({"H201", "H202"}),
    "H401": frozenset({"H402", "H404", "H407"}),
    "H402": frozenset({"H404"}),
    "H403": frozenset({"H108", "H401", "H402"}),
    "H405": frozenset({"H407"}),
}
#: Rule → those that show what it does in the same function; its facts name no session.
_EXPLAINS_NEARBY = {"H303": frozenset({"H201", "H202", "H208"})}


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without those that another one explains, in their order."""
    given = list(findings)
    explained = _pairs(given, _EXPLAINS, lambda finding: finding.root)
    nearby = _pairs(given, _EXPLAINS_NEARBY, _function)
    return [
        finding
        for finding in given
        if (finding.rule.code, finding.root) not in explained and (finding.rule.code, _function(finding)) not in nearby
    ]


def _pairs(
    findings: list[Finding], explains: Mapping[str, frozenset[str]], key: Callable[[Finding], Hashable]
) -> set[tuple[str, Hashable]]:
    """Return which rules are explained, and for what: a session, or a function."""
    return {
        (code, about)
        for finding in findings
        if (about := key(finding)) is not None
        for code in explains.get(finding.rule.code, ())
    }


def _function(finding: Finding) -> tuple[str, str] | None:
    return (finding.site.path, finding.site.function) if finding.site is not None else None
