"""Copies of the test database, one for each test that wants a database of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A database that one test has for itself.

    Attributes:
        url: where it is, without a driver.
        name: how messages call it, and what it is dropped by.
        attached: on SQLite, files to attach to each connection, by the schema that they hold.
    """

    url: URL
    name: str
    attached: tuple[tuple[str, Path], ...] = ()


class Clones(Protocol):
    """Where they come from, for one run."""

    def acquire(self) -> Clone:
        """Return a clone nobody has used, waiting for it if none is ready.

        Raises:
            DatabaseUnavailable: it cannot be made.
        """

    def release(self, clone: Clone) -> None:
        """Remove a clone, now or soon; nobody is connected to it any more."""

    def keep(self, clone: Clone, directory: Path, name: str) -> Clone:
        """Let a clone outlive the run, and return where it will be.

        Args:
            clone: the clone; it is still released afterwards.
            directory: for files, where the database has no server that keeps it.
            name: for files.
        """

    def abandon(self) -> None:
        """Forget them: their server is gone."""

    def close(self) -> None:
        """Remove all that is left, except what is to be kept; safe to call twice."""
