"""The file of findings that a project has accepted: what is in it no longer fails a test, what is new does.

One finding a line, sorted, so that a change of the file can be reviewed. No line numbers and nothing that differs from
run to run: an entry that still holds is never rewritten.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.gate.record import Record

SCHEMA = "harness-baseline/1"
_UPDATE = "--harness-baseline-update"
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
        path: the file.
        shown: how messages call it.
        entries: what it holds, by fingerprint.
        updating: whether this run shall accept all that it finds.
    """

    def __init__(self, path: Path, shown: str, entries: dict[str, Entry], *, updating: bool = False) -> None:
        self.path = path
        self.shown = shown
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
        self._write(_text(sorted(entries.values(), key=lambda entry: entry.order), version))
        change = Change(self.shown, len(entries) - len(kept), len(self.entries) - len(kept), len(kept))
        self.entries = entries
        return change

    def _write(self, text: str) -> None:
        target = Path(os.path.realpath(self.path))  # a link stays a link
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            # A path that is not UTF-8 becomes an escape, and JSON reads it as what it was.
            draft.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            if target.exists():
                draft.chmod(target.stat().st_mode & 0o777)
            draft.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):  # it may be what could not be made
                draft.unlink(missing_ok=True)
            raise _unwritable(self.shown, error.strerror or str(error)) from None


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
    path = root / name
    if updating:
        _check_writable(path, name)
        if not path.exists():
            return Baseline(path, name, {}, updating=True)
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigError(
            f"the baseline file {name} does not exist",
            where=source,
            remedy=f"create it: run the whole test suite once with {_UPDATE}\nor leave out harness_baseline",
        ) from None
    except UnicodeDecodeError as error:
        raise _malformed(name, f"byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise ConfigError(
            f"the baseline file {name} cannot be read: {error.strerror or error}",
            where=source,
            remedy="name a file: harness_baseline = harness-baseline.json",
        ) from None
    return Baseline(path, name, {entry.fingerprint: entry for entry in _entries(text, name)}, updating=updating)


def _check_writable(path: Path, name: str) -> None:
    if path.is_dir():
        raise _unwritable(name, "it is a directory")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise _unwritable(name, f"there is no directory {folder.name}")
    if not os.access(folder, os.W_OK):
        raise _unwritable(name, f"the directory {folder.name} is read-only")


def _entries(text: str, name: str) -> Iterable[Entry]:
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        conflict = re.search(r"^(<<<<<<<|=======|>>>>>>>)", text, re.MULTILINE)
        what = "it has marks of a merge conflict" if conflict else f"column {error.colno}: {error.msg}"
        line = text.count("\n", 0, conflict.start()) + 1 if conflict else error.lineno
        raise _malformed(f"{name}:{line}", what) from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, str) or not schema.startswith("harness-baseline/"):
        raise _malformed(name, 'it has no "schema": "harness-baseline/…"')
    if schema != SCHEMA:
        raise ConfigError(
            f"the baseline file is of schema {schema!r}, and this version of harness reads {SCHEMA!r}",
            where=f"{name}, written by harness {data.get('version', 'of an unknown version')}",
            remedy=f"install the version of harness that wrote it\nor delete the file and write it anew with {_UPDATE}",
        )
    findings = data.get("findings")
    if not isinstance(findings, list):
        raise _malformed(name, '"findings" is not a list')
    of = f"of {len(findings)}"
    return [_read_entry(entry, f"{name}, entry {number} {of}") for number, entry in enumerate(findings, 1)]


def _read_entry(data: Any, where: str) -> Entry:
    if not isinstance(data, dict):
        raise _malformed(where, "it is not an object")
    for field in ("fingerprint", "code"):
        if not isinstance(data.get(field), str) or not data[field]:
            raise _malformed(where, f'it has no "{field}"')
    texts = {field: data.get(field) or "" for field in ("path", "function", "message")}
    for field, text in texts.items():
        if not isinstance(text, str):
            raise _malformed(where, f'its "{field}" is not a text')
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


def _text(entries: Collection[Entry], version: str) -> str:
    head = f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "version": {json.dumps(version)},\n  "findings": ['
    lines = ",\n    ".join(json.dumps(asdict(entry), ensure_ascii=False) for entry in entries)
    return f"{head}\n    {lines}\n  ]\n}}\n" if entries else f"{head}]\n}}\n"


def _malformed(where: str, what: str) -> ConfigError:
    return ConfigError(
        f"the baseline file cannot be understood: {what}",
        where=where,
        remedy=f"mend it, or take it back from version control\nor delete it and write it anew with {_UPDATE}",
    )


def _unwritable(name: str, what: str) -> ConfigError:
    return ConfigError(
        f"the baseline file {name} cannot be written: {what}",
        where="harness_baseline",
        remedy="name a file in a directory that exists and may be written to",
    )
