"""What a detector says: one breach of one rule, at one place, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.callsite import CallSite
from harness.detectors.rule import Rule, Severity


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact behind a finding: a sentence, and where in the user's code it happened, if known."""

    text: str
    site: CallSite | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The request in which a finding arose. `route` is the path as declared, such as `/items/{id}`."""

    method: str
    route: str
    status: int | None = None

    def __str__(self) -> str:
        status = f" → {self.status}" if self.status is not None else ""
        return f"{self.method} {self.route}{status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of one rule.

    Attributes:
        rule: which rule.
        message: the fact, with numbers; one sentence, lower-case start, no full stop, no parameters' values.
        site: the line to mend; None only where no line of the user's code took part.
        endpoint: the request, if there was one.
        evidence: what was observed, in order.
        fix: what to change, for the installed versions; the rule's own text if empty.
        subject: tells apart two breaches in one function: a table, a relationship, a dependency.
        level: a severity other than the rule's.
        graph: whether it was read in the application's dependency tree and source, rather than met in a test.
        root: what it is about, so that two rules that met one defect can be told apart from two defects: the identity
            of the session's record, or of the connection's where no session took part (`questions.root_of`). It is
            not told.
    """

    rule: Rule
    message: str
    site: CallSite | None
    endpoint: Endpoint | None = None
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""
    subject: str = ""
    level: Severity | None = None
    graph: bool = False
    root: int | None = field(default=None, compare=False)

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.level or self.rule.severity
