"""The file of findings that a project has accepted: what is in it no longer fails a test, what is new does.

One finding a line, sorted, so that a change of the file can be reviewed. No line numbers and nothing that differs from
run to run: an entry that still holds is never rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.gate.kept_file import KeptFile, Kind
from harness.gate.record import Record

KIND = Kind(
    name="baseline file",
    option="harness_baseline",
    example="harness-baseline.json",
    flag="--harness-baseline-update",
    schema="harness-baseline/1",
    entries="findings",
)
#: What tells about the accepting itself, or about harness, is never accepted in passing.
_NEVER = ("H901", "H902")
#: What fails nothing needs no acceptance.
_HARMLESS = ("info",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted finding; only the fingerprint decides, the rest is for whoever reviews the file."""

    fingerprint: str
    code: str
    path: str
    function: str
    message: str

    @property
    def order(self) -> tuple[str, ...]:
        """What entries are sorted by."""
        return (self.path, self.code, self.function, self.message, self.fingerprint)

    def __str__(self) -> str:
        place = f" at {self.path}" if self.path else ""
        return f"{self.code}{place}{f' in {self.function}' if self.function else ''}"


@dataclass(frozen=True, slots=True)
class Change:
    """What an update did to the file."""

    path: str
    added: int
    removed: int
    kept: int

    def __str__(self) -> str:
        return f"baseline {self.path}: {self.added} added, {self.removed} removed, {self.kept} kept"


class Baseline:
    """The accepted findings.

    Args:
        file: where it is kept.
        entries: what it holds, by fingerprint.
        updating: whether this run shall accept all that it finds.
    """

    def __init__(self, file: KeptFile, entries: dict[str, Entry], *, updating: bool = False) -> None:
        self.file = file
        self.entries = entries
        self.updating = updating

    def accepts(self, record: Record) -> bool:
        """Tell whether a finding is accepted."""
        return record.fingerprint in self.entries or (self.updating and _to_accept(record))

    def update(self, records: Iterable[Record], version: str, judged: Callable[[Entry], bool]) -> Change:
        """Write the file anew: with what was found and nobody has accepted otherwise.

        Args:
            records: the findings of the whole run.
            version: harness's version.
            judged: tells whether this run would have found an entry if it still held. Others are kept.

        Raises:
            ConfigError: the file cannot be written.
        """
        found = {
            record.fingerprint: _entry(record)
            for record in records
            if record.suppressed in (None, "baseline") and _to_accept(record)
        }
        kept = {key: entry for key, entry in self.entries.items() if key in found or not judged(entry)}
        entries = {**found, **kept}
        rows = [asdict(entry) for entry in sorted(entries.values(), key=lambda entry: entry.order)]
        self.file.write({"version": version}, rows)
        change = Change(self.file.shown, len(entries) - len(kept), len(self.entries) - len(kept), len(kept))
        self.entries = entries
        return change


def open_baseline(name: str, root: Path, *, updating: bool, source: str) -> Baseline:
    """Return the baseline that `harness_baseline` names.

    Args:
        name: the option's value, relative to the project's directory.
        root: that directory.
        updating: whether it is written at the end of the run; then it need not exist.
        source: where the option's value comes from.

    Raises:
        ConfigError: it does not exist, cannot be read, or is not a baseline of this schema; or it could not be written.
    """
    file = KeptFile(KIND, root / name, name)
    if updating:
        file.check_writable()
        if not file.path.exists():
            return Baseline(file, {}, updating=True)
    findings = file.read(source)[KIND.entries]
    entries = [_read_entry(entry, file, number, len(findings)) for number, entry in enumerate(findings, 1)]
    return Baseline(file, {entry.fingerprint: entry for entry in entries}, updating=updating)


def _read_entry(data: Any, file: KeptFile, number: int, of: int) -> Entry:
    where = f"{file.shown}, entry {number} of {of}"
    if not isinstance(data, dict):
        raise file.malformed(where, "it is not an object")
    for field in ("fingerprint", "code"):
        if not isinstance(data.get(field), str) or not data[field]:
            raise file.malformed(where, f'it has no "{field}"')
    texts = {field: data.get(field) or "" for field in ("path", "function", "message")}
    for field, text in texts.items():
        if not isinstance(text, str):
            raise file.malformed(where, f'its "{field}" is not a text')
    return Entry(fingerprint=data["fingerprint"], code=data["code"], **texts)


def _to_accept(record: Record) -> bool:
    return record.code not in _NEVER and record.severity not in _HARMLESS


def _entry(record: Record) -> Entry:
    place = record.location
    return Entry(
        fingerprint=record.fingerprint,
        code=record.code,
        path=place.path if place else "",
        function=place.function if place else "",
        message=record.message,
    )
