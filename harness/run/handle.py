"""What the fixture `harness` gives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.config.options import DEFAULT

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
    from sqlalchemy.orm import Session

    from harness.run.run import Run
    from harness.session.locate import SessionDependency


class Harness:
    """A test's view of the run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def app(self) -> Any:
        """The application.

        Raises:
            AppError: it cannot be found or imported.
        """
        return self._run.app

    @property
    def database(self) -> URL:
        """The URL of the test database; its text hides the password."""
        self._run.ready()
        return self._run.apart.url

    @property
    def origin(self) -> str:
        """How the test database came to be: "in memory", "container postgres:17", …"""
        return self._run.origin

    # -- one of several databases ----------------------------------------------------------------------------------

    def session(self, database: str = DEFAULT) -> Session:
        """Return the test's `Session` on one of the databases of `harness_databases`; closed with the test.

        Raises:
            ConfigError: there is no such database.
        """
        from harness.run.several import session_on

        return session_on(self._run, database, asynchronous=False)  # type: ignore[no-any-return]  # a Session

    def async_session(self, database: str = DEFAULT) -> AsyncSession:
        """Return the test's `AsyncSession` on one of the databases; as `session` otherwise."""
        from harness.run.several import session_on

        return session_on(self._run, database, asynchronous=True)  # type: ignore[no-any-return]  # an AsyncSession

    def engine(self, database: str = DEFAULT) -> Engine:
        """Return the isolated engine of one of the databases; its `url` says where that is.

        Raises:
            ConfigError: there is no such database.
        """
        from harness.run.several import ready

        return ready(self._run, database).sessions.engine

    def async_engine(self, database: str = DEFAULT) -> AsyncEngine:
        """Return the isolated asynchronous engine of one of the databases; as `engine` otherwise."""
        from harness.run.several import ready

        return ready(self._run, database).sessions.async_engine

    # -- the application -------------------------------------------------------------------------------------------

    @property
    def session_dependencies(self) -> tuple[SessionDependency, ...]:
        """The dependencies through which the application gets its sessions."""
        return self._run.dependencies

    def override(self, dependency: Callable[..., Any], replacement: Callable[..., Any]) -> AbstractContextManager[None]:
        """Override a dependency of the app, and of apps mounted in it, until the context ends.

        Raises:
            DependencyError: the application has no `dependency_overrides`.
        """
        from harness.session.override import overridden

        return overridden(self._run.app, dependency, replacement)

    # -- factories -------------------------------------------------------------------------------------------------

    async def create(self, factory: Any, /, **attributes: Any) -> Any:
        """Return what `factory(**attributes)` makes, stored through the test's `AsyncSession`.

        Raises:
            FactoryError: the factory cannot make it.
        """
        from harness.factories.calls import create

        return await create(factory, **attributes)

    async def create_batch(self, factory: Any, size: int, /, **attributes: Any) -> list[Any]:
        """Return a list of `size` objects; as `create` otherwise."""
        from harness.factories.calls import create_batch

        return await create_batch(factory, size, **attributes)

    def factory(self, model: type[Any]) -> Any:
        """Return a factory for a mapped class; see `harness.factory`."""
        from harness.factories.automatic import factory

        return factory(model)

    def factories(self, *factories: type[Any], session: Any = None) -> None:
        """Let factories, and those derived from them, use a session for the rest of the test, whatever they name.

        Args:
            factories: which; all of them if none is given.
            session: a session, or an `AsyncSession`; the test's own if it is left out.
        """
        self._run.desk.assign(factories, session)
