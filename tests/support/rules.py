"""Hand-made rules and findings, for tests of what is done with them."""

from __future__ import annotations

import re
from typing import Any

from harness.detectors.rule import Rule, Severity
from harness.gate.record import Location, Record, fingerprint
from tests.support.projects import Project


def rule(code: str, name: str = "", severity: Severity = Severity.ERROR, **others: Any) -> Rule:
    """A rule whose texts are one word each."""
    texts = {field: field for field in ("what", "why", "fix", "wrong", "right")}
    return Rule(**{**texts, "code": code, "name": name or f"name of {code}", "severity": severity, **others})


#: A small catalogue: three families, one rule that is opt-in, one that is not stable.
RULES = (
    rule("H201", "write never committed"),
    rule("H203", "commit after the response", Severity.WARNING),
    rule("H301", "sync database call on the event loop"),
    rule("H303", "coroutine never awaited"),
    rule("H305", "async session expires on commit", Severity.INFO, stable=False),
    rule("H401", "connection not returned"),
    rule("H403", "leaks when cancelled", opt_in=True),
    rule("H601", "models and migrations differ", Severity.WARNING, opt_in=True),
    rule("H901", "unused allowance", Severity.WARNING),
)
KNOWN = {rule.code: rule.name for rule in RULES}


def record(code: str = "H301", path: str | None = "app/main.py", line: int = 3, **others: Any) -> Record:
    """A finding in a function `f`; `subject` tells apart two of one rule there."""
    function, subject = others.pop("function", "f"), others.pop("subject", "")
    place = Location(path, line, function) if path is not None else None
    test = others.get("test")
    said = {
        "code": code,
        "name": KNOWN.get(code, "a rule"),
        "severity": "error",
        "message": f"{code} was found",
        "why": "it hurts",
        "fix": "mend it",
        "fingerprint": others.pop("fingerprint", None) or fingerprint(code, place, subject),
        "location": place,
        "tests": (test,) if test else (),
    }
    return Record(**{**said, **others})


def nothing_allowed(project: Project) -> Project:
    """Take the comments to harness out of a project's application: what it does wrong is found."""
    main = project.path / "shop/main.py"
    main.write_text(re.sub(r"  # harness: allow.*", "", main.read_text()))
    return project
