"""Runs of pytest over the pitfalls, each in a process of its own, and what harness reports of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.detectors.versions import installed

ROOT = Path(__file__).parents[2]
PITFALLS = ROOT / "sample_app/pitfalls"

#: Marks a test that reads whole messages.
worded = pytest.mark.skipif(not installed().has_scope, reason="remedies are worded for the installed versions")

_PLUGINS = ("-p", "harness", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist")
_TIMES = re.compile(r"\d+(\.\d+)? ms")
#: The drivers, by what tells them apart on every database.
_KINDS = {
    "sqlite+pysqlite": "a blocking driver",
    "postgresql+psycopg2": "a blocking driver",
    "pysqlite": "a blocking driver",
    "psycopg2": "a blocking driver",
    "sqlite+aiosqlite": "an async driver",
    "postgresql+asyncpg": "an async driver",
}
_DRIVERS = re.compile("|".join(map(re.escape, _KINDS)))


@dataclass(frozen=True, slots=True)
class Told:
    """One finding of a JSON report."""

    data: dict[str, Any]

    @property
    def code(self) -> str:
        """The rule's code."""
        return str(self.data["code"])

    @property
    def test(self) -> str:
        """The test in which it was met first; empty if it was read in the application."""
        return str(self.data["test"] or "")

    @property
    def file(self) -> str:
        """The file to mend, below `sample_app/pitfalls` if it is there."""
        location = self.data["location"]
        return str(location["path"]).rpartition("pitfalls/")[2] if location else ""

    @property
    def line(self) -> int:
        """The line to mend."""
        location = self.data["location"]
        return int(location["line"]) if location else 0

    def text(self) -> str:
        """Return the whole message, without what differs from run to run."""
        data = self.data
        request = data["request"]
        lines = [f"{data['code']} {data['name']} ({data['severity']}): {data['message']}"]
        if data["location"]:
            lines.append(f"  where {self.file}:{self.line} in {data['location']['function']}")
        if request:
            answer = f" → {request['status']}" if request["status"] is not None else ""
            lines.append(f"        {request['method']} {request['route']}{answer}")
        for piece in data["evidence"]:
            path = str(piece["path"]).rpartition("pitfalls/")[2]
            lines.append(f"  seen  {piece['text']}" + (f" at {path}:{piece['line']}" if piece["path"] else ""))
        lines.append(f"  why   {data['why']}")
        lines += [f"  fix   {text}" for text in data["fix"].splitlines()]
        text = _DRIVERS.sub(lambda found: _KINDS[found[0]], "\n".join(lines).replace(f"{ROOT}/", ""))
        return _TIMES.sub("… ms", text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and what it reported."""

    code: int
    output: str
    findings: list[Told] = field(default_factory=list)


def run(directory: Path, *arguments: str, start: Path = ROOT, shop_url: str | None = None) -> Outcome:
    """Run pytest, from the repository's root or elsewhere, with a JSON report in a directory of the test's own.

    Args:
        directory: where the report goes.
        arguments: pytest's.
        start: where pytest is started.
        shop_url: the production database that the shop is configured with; it is never reached.
    """
    report = directory / "findings.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HARNESS_", "SHOP_"))}
    if shop_url is not None:
        environment["SHOP_DATABASE_URL"] = shop_url
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", *_PLUGINS, *arguments),
            f"--harness-report=json:{report}",
            "--harness-fail-on=never",
        ],
        cwd=start,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    output = done.stdout + done.stderr
    if not report.is_file():
        pytest.fail(f"the run wrote no report:\n{output}")
    findings = json.loads(report.read_text())["findings"]
    return Outcome(done.returncode, output, [Told(finding) for finding in findings])


def write_test(directory: Path, source: str) -> Path:
    """Write a file of tests into a project of its own."""
    (directory / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    path = directory / "test_it.py"
    path.write_text(source)
    return path


def assert_reads(stored: Path, findings: Iterable[Told]) -> None:
    """Assert that findings are told as it is stored; with HARNESS_TEST_UPDATE=1, store how they are told now."""
    text = "\n\n".join(told.text() for told in findings) + "\n"
    if os.environ.get("HARNESS_TEST_UPDATE"):
        stored.write_text(text)
    assert stored.read_text() == text
