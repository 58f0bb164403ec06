"""What the fixture `harness` gives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

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
        return self._run.target.url

    @property
    def origin(self) -> str:
        """How the test database came to be: "in memory", "container postgres:17", …"""
        return self._run.origin

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
