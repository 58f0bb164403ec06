"""What differs between the databases that one suite ran on: outcomes, how many statements, findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from harness.report.markup import Line, line, one_line
from harness.report.order import counted

#: How many tests are told in full without `-v`.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement.

    Attributes:
        key: its shape, the same on every database: `SELECT FROM users #1f3a9c2b`.
        by: who sent it, and from where: `GET /users, shop/main.py:31`.
    """

    key: str
    by: str

    @property
    def brief(self) -> str:
        """Its verb and table."""
        return self.key.rpartition(" #")[0] or self.key


@dataclass(slots=True, kw_only=True)
class Ran:
    """What a test did on one database.

    Attributes:
        outcome: `passed`, `failed`, `error`, `skipped`, `xfailed` or `xpassed`.
        why: the first line of what failed it, or of the reason for skipping it.
        findings: those that nobody has accepted, as `H301 at shop/main.py:31`.
        statements: what its function sent; None where that is chance, as in a property.
        sent: how many those are; there may be more than `statements` shows.
        lacks: whether it was skipped because it requires what the database cannot do.
    """

    outcome: str = "passed"
    why: str = ""
    findings: tuple[str, ...] = ()
    statements: tuple[Sent, ...] | None = None
    sent: int = 0
    lacks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A test that does not do the same everywhere; each attribute is by database, and None where all agree.

    Attributes:
        test: its node id without the database.
        outcomes: how it ended, and why.
        queries: how many statements it sent.
        findings: what was found on this database, and not on all of them.
        statement: the first statement that differs; None in it where nothing more was sent.
        number: which one that is, counted from one.
        wording: whether that one is only written differently: everywhere the same verbs and tables were sent.
    """

    test: str
    outcomes: Mapping[str, str] | None = None
    queries: Mapping[str, int] | None = None
    findings: Mapping[str, Sequence[str]] | None = None
    statement: Mapping[str, str | None] | None = None
    number: int = 0
    wording: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values, for a report."""
        first = {"number": self.number, "wording": self.wording, "databases": self.statement}
        return {
            "test": self.test,
            "outcomes": self.outcomes,
            "queries": self.queries,
            "findings": self.findings,
            "statement": first if self.statement is not None else None,
        }


@dataclass(slots=True, kw_only=True)
class Comparison:
    """All that there is to tell about several databases.

    Attributes:
        databases: their names.
        compared: how many tests ran on all of them.
        divergences: those that differ.
        lacking: tests that were skipped somewhere because they require what a database cannot do.
        partly: tests that ran on some of the databases only, by choice or because the run ended.
        unasked: tests that sent statements, but asked for none of harness's fixtures, and so ran on the first only.
    """

    databases: Sequence[str]
    compared: int = 0
    divergences: list[Divergence] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    partly: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values, for a report."""
        return {
            "databases": list(self.databases),
            "compared": self.compared,
            "divergences": [one.to_wire() for one in self.divergences],
            "lacking": self.lacking,
            "partly": self.partly,
            "unasked": self.unasked,
        }


def compare(databases: Sequence[str], runs: Mapping[str, Mapping[str, Ran]], unasked: Iterable[str] = ()) -> Comparison:
    """Compare what tests did.

    Args:
        databases: the names of all databases.
        runs: by test, then by database.
        unasked: tests that used the first database without asking for it.
    """
    made = Comparison(databases=databases, unasked=sorted(unasked))
    for test, by_database in sorted(runs.items()):
        if any(ran.lacks for ran in by_database.values()):
            made.lacking.append(test)
        elif len(by_database) < len(databases):
            made.partly.append(test)
        else:
            made.compared += 1
            found = _differences(test, {name: by_database[name] for name in databases})
            made.divergences += [found] if found is not None else []
    return made


def _differences(test: str, runs: Mapping[str, Ran]) -> Divergence | None:
    outcomes = {name: f"{ran.outcome}: {ran.why}" if ran.why else ran.outcome for name, ran in runs.items()}
    differ = len({ran.outcome for ran in runs.values()}) > 1
    counted_ = all(ran.statements is not None for ran in runs.values())
    queries = {name: ran.sent for name, ran in runs.items()}
    more = len(set(queries.values())) > 1 and counted_
    shared = set.intersection(*(set(ran.findings) for ran in runs.values()))
    findings = {name: [one for one in ran.findings if one not in shared] for name, ran in runs.items()}
    found = any(findings.values())
    if not (differ or more or found):
        return None
    number, wording, statement = _first({name: ran.statements or () for name, ran in runs.items()})
    return Divergence(
        test=test,
        outcomes=outcomes if differ else None,
        queries=queries if more else None,
        findings=findings if found else None,
        statement=statement if counted_ else None,
        number=number,
        wording=wording,
    )


def _first(sent: Mapping[str, Sequence[Sent]]) -> tuple[int, bool, dict[str, str | None] | None]:
    """Return the first position at which not all databases got the same statement.

    One with another verb or table comes before one that is only written differently, as dialects do.
    """
    rows = list(zip_longest(*sent.values()))
    for wording in (False, True):
        for number, row in enumerate(rows, 1):
            keys = {None if one is None else one.key if wording else one.brief for one in row}
            if len(keys) > 1:
                told = (None if one is None else f"{one.brief} ({one.by})" if one.by else one.brief for one in row)
                return number, wording, dict(zip(sent, told, strict=True))
    return 0, False, None


# -- the terminal ------------------------------------------------------------------------------------------------------


def section(comparison: Comparison, verbosity: int = 0) -> list[Line]:
    """Return the lines of the section.

    Args:
        comparison: what there is to tell.
        verbosity: pytest's: with `-q` the numbers only, with `-v` every test.
    """
    names = _and(comparison.databases)
    lines = []
    shown = comparison.divergences if verbosity > 0 else comparison.divergences[:_SHOWN]
    for one in shown if verbosity >= 0 else ():
        lines += _block(one)
    if verbosity >= 0 and len(shown) < len(comparison.divergences):
        lines.append(line((f"and {len(comparison.divergences) - len(shown)} more (-v shows them)", "dim")))
    alike, different = comparison.compared - len(comparison.divergences), len(comparison.divergences)
    total = (
        f": {alike:,} alike, {different:,} {'differs' if different == 1 else 'differ'}" if comparison.compared else ""
    )
    lines.append(line((f"{counted(comparison.compared, 'test')} ran on {names}", "title"), total))
    for tests, why in (
        (comparison.lacking, "skipped where the database has not what they require"),
        (comparison.partly, "ran on some of them only: not compared"),
        (
            comparison.unasked,
            f"used the database without asking for it, and ran on {comparison.databases[0]} only: "
            '@pytest.mark.usefixtures("harness") asks',
        ),
    ):
        if tests:
            lines.append(line((f"{counted(len(tests), 'test')} {why}", "dim")))
            lines += [line((f"  {test}", "dim")) for test in (tests if verbosity > 0 else ())]
    return lines


def _block(one: Divergence) -> list[Line]:
    lines = [line((one.test, "title"))]
    if one.outcomes is not None:
        lines += [line(("  outcome   ", "label"), f"{name}: {one_line(text)}") for name, text in one.outcomes.items()]
    if one.queries is not None:
        lines.append(line(("  queries   ", "label"), ", ".join(f"{name} {n}" for name, n in one.queries.items())))
    for name, found in (one.findings or {}).items():
        lines += [line(("  finding   ", "label"), f"{name}: {one_line(text)}") for text in found]
    if one.statement is not None:
        what = "first one that is written differently" if one.wording else "first one that differs"
        lines.append(line(("  statement ", "label"), f"{what}: number {one.number}"))
        lines += [line(f"            {name}: {text or 'nothing more'}") for name, text in one.statement.items()]
    return lines


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
