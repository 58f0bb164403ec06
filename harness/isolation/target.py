"""The test database as isolation sees it: which driver, which dialect, which pinned connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

from harness.database.drivers import Driver, Physical, drivers_for
from harness.errors import IsolationError
from harness.isolation.pinned import Pinned

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Dialect


class Target:
    """A test database that is provided when a statement first needs it.

    Args:
        backend: SQLAlchemy's name of the database, known before there is one.
        provide: starts the database and returns its URL (without a driver); called again only after `forget`.
        diagnose: says why a connection was lost.
    """

    def __init__(
        self,
        backend: str,
        provide: Callable[[], URL],
        diagnose: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.backend = backend
        self.driver: Driver = drivers_for(backend, ())
        self.pinned = Pinned(self._open, diagnose)
        self.own_engine = False
        self._provide = provide
        self._url: URL | None = None
        self._state: dict[str, Any] = {}

    @property
    def url(self) -> URL:
        """The database's URL with the driver of the pinned connection; a placeholder until it is provided."""
        if self._url is None:
            return make_url(f"{self.backend}+{self.driver.name}://")
        return self._url.set(drivername=f"{self.backend}+{self.driver.name}")

    def is_at(self, url: URL) -> bool:
        """Tell whether a URL, of any driver, leads to this database; False until it is provided."""
        return self._url is not None and url.set(drivername=self.backend) == self._url.set(drivername=self.backend)

    def announced_url(self) -> URL:
        """Provide the database and return its URL as an application would configure it, without a driver."""
        if self._url is None:
            self._url = self._provide()
        return self._url

    def rebind(self, backend: str, provide: Callable[[], URL]) -> None:
        """Aim at another database, as long as nobody has connected yet.

        Raises:
            IsolationError: the first one is in use.
        """
        if self.pinned.connected:
            raise IsolationError(
                "the test database was chosen too late: statements have run on another one already",
                why="fixture harness_database_url is overridden, but the database was used while modules were imported",
                remedy="name the database with option harness_database instead",
            )
        self.backend, self._provide, self._url = backend, provide, None
        self.driver = drivers_for(backend, ())

    def forget(self) -> None:
        """The database is gone; the next connection is to what is provided then."""
        self._url = None

    def dialect_class(self, like: str = "") -> type[Dialect]:
        """Return the dialect class that an engine has to use that was made for the database `like`."""
        return self.driver.dialect_class(like)

    def choose_driver(self, names: list[str]) -> bool:
        """Decide on the driver, given those of the application's engines; return whether it changed."""
        if self.pinned.connected:
            return False
        chosen = drivers_for(self.backend, names)
        changed = chosen is not self.driver
        self.driver = chosen
        return changed

    def ensure_ready(self) -> None:
        """Provide the database and connect, if that has not happened yet."""
        self.pinned.physical  # noqa: B018 - connects on first access

    def dialect_state(self) -> dict[str, Any]:
        """Return what SQLAlchemy's dialect learns from the server when it first connects."""
        return self._state

    def _open(self) -> Physical:
        self.announced_url()
        physical = self.driver.connect(self.url)
        with self.making_own_engine():
            self._state = _learn(self.url, physical)
        return physical

    @contextmanager
    def making_own_engine(self) -> Iterator[None]:
        """While active, new engines are harness's own and are not captured."""
        before, self.own_engine = self.own_engine, True
        try:
            yield
        finally:
            self.own_engine = before


def _learn(url: URL, physical: Physical) -> dict[str, Any]:
    """Let SQLAlchemy set up the real connection and ask the server what it wants to know, once."""
    engine = create_engine(url, creator=lambda: physical.dbapi, poolclass=StaticPool)
    before = dict(engine.dialect.__dict__)

    def connect() -> None:
        with engine.connect():
            pass

    physical.run(connect)
    return {key: value for key, value in engine.dialect.__dict__.items() if before.get(key) is not value}
