"""What the user has accepted: by marker, comment, ini pattern or baseline; and what of that nothing needs any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.config.codes import Known, covered
from harness.config.markers import Allow, Request
from harness.errors import HarnessError
from harness.gate.baseline import Baseline, Entry
from harness.gate.patterns import Pattern
from harness.gate.record import Location, Record, Suppression
from harness.gate.sources import Sources

#: Names an allowance: its kind, then what tells it from others of its kind.
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """An allowance that nothing needed.

    Attributes:
        kind: how it accepts.
        text: what is written there.
        where: the test, the file and line, or the option.
        location: the line to remove, if it is one of Python code.
    """

    kind: Suppression
    text: str
    where: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one test.

    Attributes:
        records: its findings, each with how it was accepted, if it was.
        unmet: why the test fails because of `expect`; empty if it does not.
        unused: its own marker's allowances that it did not need.
    """

    records: tuple[Record, ...]
    unmet: str = ""
    unused: tuple[Unused, ...] = ()


class Allowances:
    """Decides which findings are accepted, and keeps account of which allowance was needed.

    Args:
        root: the project's directory.
        known: all rules there are.
        selected: the codes of those that judge this run.
        patterns: those of `harness_allow`.
        baseline: the accepted findings, if there is a file of them.
    """

    def __init__(
        self,
        root: Path,
        known: Known,
        selected: Collection[str],
        patterns: Sequence[Pattern] = (),
        baseline: Baseline | None = None,
    ) -> None:
        self._known = known
        self._selected = frozenset(selected)
        self._patterns = patterns
        self._baseline = baseline
        self._declared: dict[Key, Unused] = {}
        self._used: set[Key] = set()
        self._told: set[str] = set()
        self._sources = Sources(root, known)

    @property
    def problems(self) -> list[str]:
        """What is wrong with comments: they name no rule, or one that does not exist. Each a text for the user."""
        return sorted(self._told.union(self._sources.problems))

    def judge(self, found: Iterable[Record], request: Request | None = None, *, passed: bool | None = True) -> Verdict:
        """Return the findings of one test, or those read in the source, with how each was accepted.

        Args:
            found: the findings.
            request: what the test's markers say; None where there is no test.
            passed: whether the test has run and passed. One that did not cannot tell which allowances it needs. None
                for what is found when that has been asked: then nothing is said of `expect` and of unused allowances.
        """
        request = request or Request()
        records = [self._accepted(record, request) for record in found]
        own: list[Unused] = []
        for allow in request.allow:
            key = _marker_key(allow)
            if passed is None:
                continue
            if not passed:
                self._used.add(key)
            elif allow.shared:
                self._declare(key, allow.code, _marker(allow))
            elif key not in self._used and self._judged(allow.code):
                own.append(_marker(allow))
        return Verdict(tuple(records), self._unmet(records, request) if passed else "", tuple(own))

    def survey(self, paths: Iterable[str]) -> None:
        """Take note of all comments in some files: `harness.gate.sources.loaded_sources`, at the end of the run.

        Only a comment in one of them can be told to be unused.

        Args:
            paths: as in `Location.path`.
        """
        for path in paths:
            for comment in self._sources.of(path):
                location = Location(path, comment.line, self._sources.function_at(path, comment.line))
                for code in comment.codes:
                    text = f"# harness: allow[{code}]"
                    unused = Unused(kind="comment", text=text, where=f"{path}:{comment.line}", location=location)
                    self._declare(("comment", path, str(comment.line), code), code, unused)

    def unused(self, *, complete: bool) -> list[Unused]:
        """Return the allowances that nothing needed.

        Args:
            complete: whether the whole suite has run; a part of it cannot tell.
        """
        if not complete:
            return []
        for pattern in self._patterns:
            key = ("ini", str(pattern))
            self._declare(key, pattern.code, Unused(kind="ini", text=str(pattern), where=pattern.source))
        if self._baseline is not None and not self._baseline.updating:
            for entry in self._baseline.entries.values():
                stale = Unused(kind="baseline", text=f"{entry.fingerprint} ({entry})", where=self._baseline.file.shown)
                if self.would_find(entry):
                    self._declared[("baseline", entry.fingerprint)] = stale
        left = [unused for key, unused in self._declared.items() if key not in self._used]
        return sorted(left, key=_order)

    def would_find(self, entry: Entry) -> bool:
        """Tell whether this run, if it is complete, finds what a baseline's entry accepts, if it is still there."""
        return entry.code in self._selected or entry.code not in self._known

    # -- between processes -----------------------------------------------------------------------------------------

    def to_wire(self) -> dict[str, Any]:
        """Return the account as plain values, for the process that sums up."""
        declared = [[list(key), asdict(unused)] for key, unused in self._declared.items()]
        return {"declared": declared, "used": [list(key) for key in self._used], "problems": self.problems}

    def absorb(self, wire: dict[str, Any]) -> None:
        """Add the account of another process."""
        for key, data in wire["declared"]:
            location = Location(**data["location"]) if data["location"] else None
            self._declared[tuple(key)] = Unused(**{**data, "location": location})
        self._used.update(tuple(key) for key in wire["used"])
        self._told.update(wire["problems"])

    # -- one finding -----------------------------------------------------------------------------------------------

    def _accepted(self, record: Record, request: Request) -> Record:
        # All that accept it are needed, so that two are not each called superfluous because of the other.
        accepting = list(self._accepting(record, request))
        self._used.update(key for _, key in accepting)
        return replace(record, suppressed=accepting[0][0] if accepting else None)

    def _accepting(self, record: Record, request: Request) -> Iterator[tuple[Suppression, Key]]:
        if record.code in request.expect:
            yield "marker", ("expect", record.code)
        for allow in request.allow:
            if record.code.startswith(allow.code):
                yield "marker", _marker_key(allow)
        if record.location is not None:
            path = record.location.path
            for comment in self._sources.holding(path, record.location.line):
                for code in comment.codes:
                    if record.code.startswith(code):
                        yield "comment", ("comment", path, str(comment.line), code)
        for pattern in self._patterns:
            if pattern.accepts(record):
                yield "ini", ("ini", str(pattern))
        if self._baseline is not None and self._baseline.accepts(record):
            yield "baseline", ("baseline", record.fingerprint)

    def _unmet(self, records: Sequence[Record], request: Request) -> str:
        missing = [code for code in request.expect if code not in {record.code for record in records}]
        if not missing:
            return ""
        others = [f"{record.code} {record.message}{_at(record)}" for record in records]
        unselected = [code for code in missing if code not in self._selected]
        named = ", ".join(f"{code} ({self._known[code]})" if code in self._known else code for code in missing)
        error = HarnessError(
            f"expected {named}, and it was not found" if len(missing) == 1 else f"expected, and not found: {named}",
            why=f"{', '.join(unselected)} is not selected by harness_select" if unselected else None,
            remedy=f"select it: harness_select = stable {' '.join(unselected)}" if unselected else None,
        )
        instead = "\n        ".join(others) if others else "no other finding"
        return f"{error}\n  found {instead}"

    # -- what there is ---------------------------------------------------------------------------------------------

    def _declare(self, key: Key, code: str, unused: Unused) -> None:
        if self._judged(code):
            self._declared[key] = unused

    def _judged(self, code: str) -> bool:
        """Tell whether this run can call a code unused: all its rules judge, and it is not about harness itself."""
        codes = covered(code, self._known)
        return bool(codes) and self._selected.issuperset(codes) and not code.startswith("H9")


def _marker_key(allow: Allow) -> Key:
    return ("marker", allow.holder, allow.code)


def _marker(allow: Allow) -> Unused:
    return Unused(kind="marker", text=f"allow=[{allow.code!r}]", where=allow.holder or "every test")


def _order(unused: Unused) -> tuple[str, str, int, str]:
    place = unused.location
    return (unused.kind, place.path if place else unused.where, place.line if place else 0, unused.text)


def _at(record: Record) -> str:
    return f" at {record.location}" if record.location else ""
