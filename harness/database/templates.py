"""Databases that hold a schema and nothing else, to be copied where that schema is needed: by workers, by later runs.

A template's name contains a fingerprint of what its schema was made from, so one that is out of date is never found.
Which of several processes makes it, and who uses it, is settled by locks of the server, which end with whoever holds
them. A template of one run is called like the run's other databases and dropped with them; one on a server that is
used again belongs to a project, and only the newest few of a project are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.database.catalogs import Catalogs
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from harness.database.identity import RunIdentity

#: How many templates a project has on a server that is used again.
_MOST = 5


class Templates:
    """The templates that one process uses.

    Args:
        url: a database on the server; its name is the base of the names made here.
        run: the owner of those that end with the run.
        project: whose they are on a server that is used again; None if they end with the run.
    """

    def __init__(self, url: URL, run: RunIdentity, project: str | None) -> None:
        # Workers share them, so their names are the whole run's.
        self._catalogs = Catalogs(url, replace(run, worker=""))
        self._prefix = f"harness_template_{project}_" if project else None

    def name(self, fingerprint: str) -> str:
        """Return the name of the template with a fingerprint."""
        return f"{self._prefix}{fingerprint}" if self._prefix else self._catalogs.name(f"schema_{fingerprint}")

    @contextmanager
    def settled(self, fingerprint: str) -> Iterator[bool]:
        """Give whether there is a template; if not, nobody else makes it at the same time, and none is forgotten."""
        name = self.name(fingerprint)
        with self._catalogs.alone(name):
            used = self._prefix is None or self._catalogs.claim(name, shared=True)
            yield used and self._catalogs.exists(name)
        if self._prefix is None:
            self.close()  # nobody forgets it, so there is nothing to claim

    def copy(self, fingerprint: str, name: str) -> None:
        """Replace a database of this run, to which nobody is connected, by a copy of a template.

        Raises:
            DatabaseUnavailable: the server refuses; the database is empty then.
        """
        self._catalogs.drop(name)
        try:
            self._catalogs.create(name, self.name(fingerprint))
        except DatabaseUnavailable:
            self._catalogs.create(name)
            raise

    def take(self, fingerprint: str, name: str) -> None:
        """Make a template of a database of this run, to which nobody is connected.

        Raises:
            DatabaseUnavailable: the server refuses.
        """
        template = self.name(fingerprint)
        self._catalogs.create(template, name, connections=False)
        if self._prefix:
            self._catalogs.claim(template, shared=True)
            for old in self._catalogs.beginning_with(self._prefix)[:-_MOST]:
                self._forget(old)

    def _forget(self, name: str) -> bool:
        """Drop a template that no run uses; False if one does."""
        if not self._catalogs.claim(name, shared=False):
            return False
        self._catalogs.drop_template(name)
        return True

    def close(self) -> None:
        """Say that the templates are not used any more."""
        self._catalogs.close()


def forget(url: URL, run: RunIdentity, project: str, say: Callable[[str], None]) -> None:
    """Drop all templates of a project.

    Raises:
        DatabaseUnavailable: another run uses one of them.
    """
    with closing(Catalogs(url, run)) as catalogs:
        names = catalogs.beginning_with(f"harness_template_{project}_")
        if not all(catalogs.claim(name, shared=False) for name in names):
            users = "\n".join(catalogs.claimants()) or "a run that has ended since"
            raise DatabaseUnavailable(
                "the templates cannot be forgotten while another run uses them",
                where="--harness-fresh",
                why=f"they are in use by:\n{users}",
                remedy="wait until it has ended, then run again; or leave out --harness-fresh",
            )
        for name in names:
            catalogs.drop_template(name)
    if names:
        say(f"forgot {len(names)} template{'s' if len(names) > 1 else ''} of the schema")
