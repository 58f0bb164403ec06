"""Where reports go: `format:path`, checked before the first test runs and written after the last one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.config.settings import unknown_value
from harness.detectors.rule import Rule
from harness.errors import ConfigError
from harness.gate.results import Results
from harness.report import github, json_report, sarif
from harness.report.html import render as render_html

FORMATS = ("json", "sarif", "github", "html")
_WRITE = 'write "format:path", for instance html:harness.html or sarif:build/harness.sarif'
_NAMES = {"json": "JSON", "sarif": "SARIF", "github": "GitHub", "html": "HTML"}


@dataclass(frozen=True, slots=True)
class Destination:
    """One report that was asked for.

    Attributes:
        format: one of `FORMATS`.
        path: the file, absolute; None for standard output.
        text: as the user wrote it.
    """

    format: str
    path: Path | None
    text: str

    @property
    def wants_timelines(self) -> bool:
        """Tell whether this report shows timelines, so that they must be made."""
        return self.format == "html"


@dataclass(slots=True)
class Written:
    """What became of the reports.

    Attributes:
        lines: to be printed, each at the beginning of a line of standard output.
        failures: reports that could not be written after all; the others were.
    """

    lines: list[str] = field(default_factory=list)
    failures: list[ConfigError] = field(default_factory=list)


def destinations(values: Iterable[str], source: str, base: Path) -> tuple[Destination, ...]:
    """Return the reports that `harness_report` asks for.

    Args:
        values: each `format:path`.
        source: where the option was given, as errors tell it.
        base: what relative paths are relative to.

    Raises:
        ConfigError: a format is not known, a path is missing, or two reports have one path.
    """
    found: dict[str, Destination] = {}
    for text in values:
        destination = _parse(text, source, base)
        key = os.path.realpath(destination.path) if destination.path is not None else "standard output"
        if key in found:
            raise ConfigError(
                f"harness_report has two reports for one place: {found[key].text} and {text}",
                where=source,
                why="the second would replace the first",
                remedy="give each its own path, or leave one out",
            )
        found[key] = destination
    return tuple(found.values())


def check(reports: Iterable[Destination], source: str) -> None:
    """Make sure that every report can be written, and leave nothing behind.

    Raises:
        ConfigError: a file cannot be made at one of the paths.
    """
    for report in reports:
        problem = _obstacle(report.path) if report.path is not None else None
        if problem:
            raise _unwritable(report, problem, source)


def write_all(results: Results, reports: Sequence[Destination], rules: Sequence[Rule] = ()) -> Written:
    """Write every report, each in one step: a reader finds the old file or the new one, never a part.

    Args:
        results: of the whole run.
        reports: as `destinations` returned them.
        rules: the manuals of the rules, for the reports that show them.
    """
    written = Written()
    for report in reports:
        text = _RENDER[report.format](results, rules)
        if report.path is None:
            written.lines += text.splitlines()
            continue
        try:
            _replace(report.path, text)
        except OSError as error:
            written.failures.append(_unwritable(report, error.strerror or type(error).__name__, "the end of the run"))
        else:
            written.lines.append(f"{_NAMES[report.format]} report: {_shown(report.path)}")
    return written


_RENDER: dict[str, Callable[[Results, Sequence[Rule]], str]] = {
    "json": lambda results, rules: json_report.render(results),
    "sarif": sarif.render,
    "github": lambda results, rules: "".join(f"{command}\n" for command in github.commands(results)),
    "html": render_html,
}


def _parse(text: str, source: str, base: Path) -> Destination:
    kind, _, path = (part.strip() for part in text.partition(":"))
    if kind not in FORMATS:
        raise unknown_value("harness_report", kind, FORMATS, source)
    if not path:
        if kind == "github":
            return Destination(kind, None, text)
        raise ConfigError(f"harness_report {text!r} has no path", where=source, remedy=_WRITE)
    return Destination(kind, base / os.path.expanduser(path), text)


def _obstacle(path: Path) -> str | None:
    """Return why no file can be written at a path; None if one can."""
    if path.is_dir():
        return "it is a directory"
    if path.exists() and not path.is_file():
        return "it is not an ordinary file"
    folder = path.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"{_shown(folder)} is not a directory"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{_shown(folder)}: {(error.strerror or type(error).__name__).lower()}"


def _unwritable(report: Destination, problem: str, where: str) -> ConfigError:
    assert report.path is not None
    return ConfigError(
        f"the {_NAMES[report.format]} report cannot be written to {_shown(report.path)}: {problem}",
        where=where,
        why="a report that is missing at the end of a long run is noticed too late",
        remedy="choose another path, or make this one writable",
    )


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the report, because a file can be renamed only within its file system.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # A file's name, and so a test's, may hold bytes that are no text.
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _shown(path: Path) -> str:
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
