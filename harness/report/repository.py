"""Paths as a code host knows them: relative to the repository, of which the project may be a folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from harness.gate.record import Location, Record


def prefix(root: str) -> str:
    """Return the project's folder within its repository, with a slash at its end; empty if it is the repository."""
    project = Path(root)
    for folder in (project, *project.parents):
        if (folder / ".git").exists():
            inner = project.relative_to(folder).as_posix()
            return "" if inner == "." else f"{inner}/"
    return ""


def is_outside(path: str) -> bool:
    """Tell whether a location's path is absolute, which is how code outside of the project is recorded."""
    return PurePosixPath(path).is_absolute() or path[1:3] == ":/"


def nearest_location(record: Record) -> Location | None:
    """Return where a reader should look: the line to mend, else the first evidence, else the test's file."""
    if record.location is not None:
        return record.location
    for piece in record.evidence:
        if piece.location is not None:
            return piece.location
    path, _, name = (record.test or "").partition("::")
    return Location(path, 1, name) if path.endswith(".py") else None
