"""Databases that a run makes on a server, whatever server it is: named, found, dropped, and those of dead runs swept.

`catalogs.py` and `mysql_catalogs.py` say how each server does it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.database.identity import HOST, RUN, alive, host_token
from harness.database.names import base_of, belongs, name_for, run_of
from harness.database.urls import scrubbed, shown, without_driver
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import URL

    from harness.database.drivers import Physical
    from harness.database.identity import RunIdentity

#: Labels of a database, beyond those of its run: when it was made, in seconds since 1970, and what is to be kept.
MADE, KEPT = "harness.made", "harness.kept"
#: Seconds after which what a run of another machine has left may be dropped.
HOUR = 3600


class Found(NamedTuple):
    """A database of some run: its name, and the labels of the run."""

    name: str
    labels: Mapping[str, str]


class Room(NamedTuple):
    """How many connections are left, and what limits them."""

    left: int
    limit: str


class RunCatalogs(ABC):
    """Creates and drops databases on the server of a URL, for one run.

    An instance has one connection, and lets one thread at a time use it.

    Args:
        url: a database on the server, with or without a driver; its name is the base of the names made here.
        run: the owner.
    """

    #: How many bytes a name may have.
    longest: ClassVar[int]

    def __init__(self, url: URL, run: RunIdentity) -> None:
        self._url = without_driver(url)
        self._run = run
        self._lock = threading.RLock()
        self._physical: Physical | None = None
        self._base = base_of(url.database, run)

    def url_of(self, name: str) -> URL:
        """Return the URL of a database on the same server, without a driver."""
        return self._url.set(database=name)

    def name(self, suffix: str) -> str:
        """Return the name that a database of this run has."""
        return name_for(self._base, self._run, suffix, self.longest)

    def kept(self) -> bool:
        """Tell whether a database of this run shall outlive it."""
        return any(belongs(found.name, self._run) and KEPT in found.labels for found in self.found())

    def sweep(self, say: Callable[[str], None]) -> None:
        """Drop the databases of runs that were killed before they could; what the user may not drop stays."""
        for found in self.found():
            if not self._dead(found.labels):
                continue
            try:
                with self._lock:
                    self._drop(found.name)
            except Exception as problem:  # noqa: BLE001 - it is a courtesy: the run goes on without
                say(f"the database {found.name} of a run that was killed could not be dropped: {words(problem)}")
                continue
            say(f"dropped the database {found.name}, left by a run that was killed")

    def close(self) -> None:
        """Close the connection to the server; it is opened anew if it is needed again."""
        with self._lock:
            if self._physical is not None:
                self._physical.close()
                self._physical = None

    @abstractmethod
    def create(self, name: str, template: str | None = None, *, connections: bool = True) -> None:
        """Create a database, empty or as a copy of another one."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Drop a database of this run; one that is gone already is no error."""

    @abstractmethod
    def drop_all(self, *, but: str | None = None) -> None:
        """Drop every database of this run, in a worker every one of that worker, that is not to be kept."""

    @abstractmethod
    def keep(self, name: str) -> None:
        """Let a database outlive the run: neither `drop_all` nor a sweep will take it."""

    @abstractmethod
    def claim(self, name: str, *, shared: bool) -> bool:
        """Say that this run uses a database that is not its own, until `close`; False if another run does already."""

    @abstractmethod
    def room(self) -> Room:
        """Return how many connections the server has left for the user of the URL."""

    @abstractmethod
    def found(self) -> list[Found]:
        """Return the databases on the server that some run has made."""

    @abstractmethod
    def _drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""

    @abstractmethod
    def _connect(self) -> Physical:
        """Return a connection whose server can tell, to whoever asks, that the run lives."""

    @abstractmethod
    def _absent(self, run_id: str) -> bool:
        """Tell whether no process of a run is connected to the server."""

    @abstractmethod
    def _age(self, made: int) -> int:
        """Return how many seconds have passed on the server's clock since then."""

    @property
    def _admin(self) -> Physical:
        if self._physical is None or self._physical.closed():
            self._physical = self._connect()
        return self._physical

    def _own(self, name: str) -> None:
        """Refuse a database that is not this run's.

        Raises:
            ValueError: it is not.
        """
        if run_of(name) != self._run.run_id:
            raise ValueError(f"{name} is not a database of run {self._run.run_id}")

    def _dead(self, labels: Mapping[str, str]) -> bool:
        if labels[RUN] == self._run.run_id or KEPT in labels:
            return False
        if labels.get(HOST) == host_token():
            return not alive(labels)
        with self._lock:
            return self._absent(labels[RUN]) and self._age(int(labels[MADE])) > HOUR

    def _could_not(self, why: str, remedy: str) -> DatabaseUnavailable:
        whose = f"the database of worker {self._run.worker}" if self._run.worker else "a database for a test"
        return DatabaseUnavailable(f"{whose} could not be created", where=shown(self._url), why=why, remedy=remedy)

    def _said(self, problem: Exception) -> str:
        """Return what the server says, without the password."""
        return scrubbed(words(problem), self._url)


def words(problem: Exception) -> str:
    """Return what an exception says, on one line."""
    return " ".join(str(problem).split()) or type(problem).__name__
