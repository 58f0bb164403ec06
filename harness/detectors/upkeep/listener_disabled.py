"""H902: a listener of harness failed and was switched off."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Version, Versions
from harness.observe.tape import Tape

RULE = Rule(
    code="H902",
    name="listener disabled itself",
    severity=Severity.WARNING,
    what="A listener of harness failed, so it was switched off for the rest of the run.",
    why="the rules that need what it records see less from then on, and may be silent where they should not be",
    fix="report it to harness, with this message and the versions of SQLAlchemy and FastAPI",
    wrong="""
        # nothing that an application does should come to this
    """,
    right="""
        # a version of SQLAlchemy and FastAPI that harness supports
    """,
    quiet=("a listener that works",),
)
SIGNS = signs.RARE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each listener that was switched off during a test."""
    for disabled in tape.disabled:
        yield Finding(
            rule=RULE,
            message=f"the listener {disabled.listener} was switched off after {disabled.reason}",
            site=None,
            fix=f"report it to harness with this message, SQLAlchemy {_told(versions.sqlalchemy)} "
            f"and FastAPI {_told(versions.fastapi)}",
            subject=disabled.listener,
        )


def _told(version: Version) -> str:
    return ".".join(map(str, version)) or "(not installed)"
