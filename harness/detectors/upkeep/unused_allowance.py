"""H901: an allowance that allows nothing any more. The gate keeps account of them; this is how one is told."""

from __future__ import annotations

from harness.callsite import CallSite
from harness.detectors.finding import Finding
from harness.detectors.rule import Rule, Severity

RULE = Rule(
    code="H901",
    name="unused allowance",
    severity=Severity.WARNING,
    what="A marker, comment, ini pattern or baseline entry accepts a finding that is not there any more.",
    why="the next real finding of that kind, at that place, would be accepted unseen",
    fix="remove it",
    wrong="""
        db.commit()  # harness: allow[H201] the import job commits
    """,
    right="""
        db.commit()
    """,
    quiet=(
        "a run of a part of the suite, which cannot tell",
        "rules that are not selected",
    ),
    runtime=False,
)

_HOLDERS = {
    "marker": "the marker's {text} of {where}",
    "comment": "the comment {text}",
    "ini": "{text} in {where}",
    "baseline": "the entry {text} of {where}",
}
_FIXES = {"baseline": "run once with --harness-baseline-update", "ini": "remove the pattern from {where}"}


def unused_allowance(kind: str, text: str, where: str, site: CallSite | None) -> Finding:
    """Return the finding about an allowance that nothing needed.

    Args:
        kind: how it accepts: `marker`, `comment`, `ini` or `baseline`.
        text: what is written there.
        where: the test, the file and line, or the option.
        site: the line to remove, if it is one of Python code.
    """
    holder = _HOLDERS.get(kind, "{text} of {where}").format(text=text, where=where)
    return Finding(
        rule=RULE,
        message=f"{holder} accepts nothing: no such finding arose",
        site=site,
        fix=_FIXES.get(kind, RULE.fix).format(where=where),
        subject=f"{text} {where}" if site is None else text,
    )
