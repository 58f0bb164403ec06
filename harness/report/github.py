"""Annotations on a pull request: GitHub's workflow commands.

GitHub shows ten errors and ten warnings per step and drops the rest without a word, so the worst are sent, and how many
more there are is said.
"""

from __future__ import annotations

from harness.gate.record import Record
from harness.gate.results import Results
from harness.report.markup import clean
from harness.report.order import counted, ordered
from harness.report.repository import is_outside, nearest_location, prefix

#: How many annotations of one kind GitHub shows per step.
SHOWN = 10


def commands(results: Results) -> list[str]:
    """Return one command per line, to be printed at the beginning of a line of standard output."""
    folder, lines = prefix(results.root), []
    dropped = []
    for severity in ("error", "warning"):
        found = [record for record in ordered(results.open) if record.severity == severity]
        lines += [_command(record, folder) for record in found[:SHOWN]]
        if len(found) > SHOWN:
            dropped.append(counted(len(found) - SHOWN, severity))
    if dropped:
        text = f"{' and '.join(dropped)} more: GitHub shows {SHOWN} of each, the log has them all"
        lines.append(f"::notice title=harness::{_data(text)}")
    return lines


def _command(record: Record, folder: str) -> str:
    where, properties = nearest_location(record), {}
    if where is not None and not is_outside(where.path):
        properties = {"file": folder + where.path, "line": str(where.line)}
    properties["title"] = f"{record.code} {record.name}"
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{record.severity} {told}::{_data(_message(record))}"


def _message(record: Record) -> str:
    lines = [record.message, f"why: {record.why}", f"fix: {record.fix}"]
    if record.request is not None:
        lines.append(f"request: {record.request}")
    if record.test is not None:
        lines.append(f"test: {record.test}")
    return "\n".join(clean(line) for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text)).replace(":", "%3A").replace(",", "%2C")
