"""What a rule is: its code, its name, how bad a breach is, and its manual."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; `harness_fail_on` names the least that fails a test."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One pitfall. The texts are the manual that `--harness-explain` prints and `docs/rules/` shows.

    Attributes:
        code: `H` and three digits; never reused.
        name: the title, lower case, without a full stop.
        severity: that of its findings, unless a finding says otherwise.
        what: what the rule looks for; one or two sentences.
        why: what it does to production; the text of every finding's `why`.
        fix: how to mend it; a finding may give a more concrete one.
        wrong, right: the same few lines of code, with the pitfall and without.
        quiet: look-alikes that are right and not reported.
        runtime: whether tests can meet it while they run.
        graph: whether it is found in the application's dependency tree and source.
        opt_in: whether it must be selected by its full code.
        stable: whether it is part of the default selection.
        since: the version that introduced it.
    """

    code: str
    name: str
    severity: Severity
    what: str
    why: str
    fix: str
    wrong: str
    right: str
    quiet: tuple[str, ...] = ()
    runtime: bool = True
    graph: bool = False
    opt_in: bool = False
    stable: bool = True
    since: str = "0.2"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"H\d{3}", self.code):
            raise ValueError(f"a rule's code is H and three digits, not {self.code!r}")
