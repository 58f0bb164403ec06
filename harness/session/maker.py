"""Sessions for the test's own use, on engines of harness's own that share the test's transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.database.drivers import application_drivers, drivers_for
from harness.errors import MissingExtra
from harness.session.fresh import keep_fresh

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session


class Sessions:
    """Makes the test's own engines and sessions, each once, when a fixture first asks.

    Args:
        url: the test database's URL.
        making: a context in which harness makes an engine; its argument says whether it is an asynchronous one.
        session_class: the class of the application's sessions, so that the test can use its methods.
        changes: counts the commits on the test database.
        binds: the engines of what is in other databases, as `Session(binds=…)` takes them; its argument says whether
            they are asynchronous.
    """

    def __init__(
        self,
        url: Callable[[], URL],
        making: Callable[[bool], AbstractContextManager[None]],
        session_class: Callable[[bool], type[Any] | None],
        changes: Callable[[], int],
        binds: Callable[[bool], dict[Any, Any]] | None = None,
    ) -> None:
        self._url = url
        self._making = making
        self._session_class = session_class
        self._changes = changes
        self._binds = binds
        self._engine: Engine | None = None
        self._async_engine: AsyncEngine | None = None

    @property
    def engine(self) -> Engine:
        """The synchronous engine."""
        if self._engine is None:
            from sqlalchemy import create_engine

            with self._making(False):
                self._engine = create_engine(self._url())
        return self._engine

    @property
    def async_engine(self) -> AsyncEngine:
        """The asynchronous engine.

        Raises:
            MissingExtra: no asynchronous driver of the database is installed, or no greenlet.
        """
        if self._async_engine is None:
            from harness.ext_asyncio import AVAILABLE

            if not AVAILABLE:
                raise MissingExtra("greenlet", "fastapi", "an asynchronous session")
            from sqlalchemy.ext.asyncio import create_async_engine

            url = self._url()
            with self._making(True):
                self._async_engine = create_async_engine(
                    url.set(drivername=f"{url.get_backend_name()}+{_async_driver(url)}")
                )
        return self._async_engine

    def session(self) -> Session:
        """Return a new session of the class that the application uses."""
        from sqlalchemy.orm import Session

        session = (self._session_class(False) or Session)(self.engine, **self._more(False))
        keep_fresh(session, self._changes)
        return session

    def async_session(self) -> AsyncSession:
        """Return a new asynchronous session; what it loaded stays readable after a commit, as awaiting is explicit.

        Raises:
            MissingExtra: as for `async_engine`.
        """
        engine = self.async_engine
        from sqlalchemy.ext.asyncio import AsyncSession

        cls = self._session_class(True) or AsyncSession
        session = cls(engine, expire_on_commit=False, **self._more(True))
        keep_fresh(session.sync_session, self._changes)
        return session

    def _more(self, asynchronous: bool) -> dict[str, Any]:
        binds = self._binds(asynchronous) if self._binds is not None else None
        return {"binds": binds} if binds else {}

    def dispose(self) -> None:
        """Empty the engines' pools; they can be used again afterwards."""
        for engine in (self._engine, self._async_engine.sync_engine if self._async_engine else None):
            if engine is not None:
                engine.dispose(close=False)
        self._engine = self._async_engine = None


def _async_driver(url: URL) -> str:
    from importlib.util import find_spec

    current = url.get_driver_name()
    backend = url.get_backend_name()
    candidates = application_drivers(backend, asynchronous=True)
    ordered = sorted(candidates, key=lambda candidate: candidate[1] != current)
    for module, driver in ordered:
        if find_spec(module) is not None:
            return driver
    extra = "all" if backend == "sqlite" else drivers_for(backend, ()).extra
    raise MissingExtra(" or ".join(module for module, _ in candidates), extra, "an asynchronous session")


def plain_class(cls: type[Any]) -> type[Any] | None:
    """Return a session class that can be called with an engine; scoped sessions and factories cannot."""
    from sqlalchemy.orm import Session

    from harness.ext_asyncio import AsyncSession

    return cls if issubclass(cls, (Session, AsyncSession)) else None
