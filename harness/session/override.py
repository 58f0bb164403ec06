"""`app.dependency_overrides`, changed and given back exactly.

A dependency that makes its session itself is *not* overridden: its engine is captured, so the application's own
function runs, with its own commit on exit, rollback on error and session options. Only a placeholder, a dependency
whose body just raises NotImplementedError or is empty, is given a session.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import DependencyError
from harness.session.evidence import Kind

if TYPE_CHECKING:
    from harness.session.locate import SessionDependency
    from harness.session.maker import Sessions

Overrides = MutableMapping[Callable[..., Any], Callable[..., Any]]


@contextmanager
def overridden(app: Any, dependency: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[None]:
    """Override a dependency for a while, also in applications mounted in `app`, and restore what was there.

    Raises:
        DependencyError: `app` has no `dependency_overrides`.
    """
    before = remember(app)
    if not before:
        raise DependencyError(
            f"{type(app).__name__} has no dependency_overrides",
            remedy="pass the FastAPI application, not something wrapped around it",
        )
    for known in before:
        known.mapping[dependency] = replacement
    try:
        yield
    finally:
        for known in before:
            known.restore()


@dataclass(frozen=True, slots=True)
class Remembered:
    """The `dependency_overrides` of one application, and what they held."""

    owner: Any
    mapping: Overrides
    content: dict[Callable[..., Any], Callable[..., Any]]

    def restore(self) -> None:
        """Make them what they were: the same mapping, with the same content in the same order."""
        if self.owner.dependency_overrides is not self.mapping:
            self.owner.dependency_overrides = self.mapping
        if dict(self.mapping) != self.content:
            self.mapping.clear()
            self.mapping.update(self.content)


def remember(app: Any) -> list[Remembered]:
    """Remember the overrides of an application and of those mounted in it."""
    return [Remembered(owner, owner.dependency_overrides, dict(owner.dependency_overrides)) for owner in _owners(app)]


def _owners(app: Any) -> Iterator[Any]:
    seen: set[int] = set()
    pending = [app]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(getattr(current, "dependency_overrides", None), MutableMapping):
            yield current
        pending.extend(
            getattr(route, "app", None) for route in getattr(current, "routes", ()) if not hasattr(route, "dependant")
        )
        pending.append(getattr(current, "app", None))


def fill_placeholders(dependencies: tuple[SessionDependency, ...], sessions: Sessions) -> list[str]:
    """Give the dependencies that are meant to be overridden a session; one that is overridden already is left alone.

    Returns:
        The names of those that were filled.
    """
    filled = []
    for dependency in dependencies:
        overrides = dependency.app.dependency_overrides
        if dependency.placeholder and dependency.call not in overrides:
            overrides[dependency.call] = provider_of(dependency.kind, sessions)
            filled.append(dependency.name)
    return filled


def provider_of(kind: Kind, sessions: Sessions) -> Callable[..., Any]:
    """Return a dependency that gives what `kind` says, on the test's transaction."""

    def sync_session() -> Iterator[Any]:
        with sessions.session() as session:
            yield session

    async def async_session() -> AsyncIterator[Any]:
        async with sessions.async_session() as session:
            yield session

    def sync_connection() -> Iterator[Any]:
        with sessions.engine.connect() as connection:
            yield connection

    async def async_connection() -> AsyncIterator[Any]:
        async with sessions.async_engine.connect() as connection:
            yield connection

    def sync_factory() -> Any:
        return sessions.session

    def async_factory() -> Any:
        return sessions.async_session

    return {
        Kind.SYNC_SESSION: sync_session,
        Kind.ASYNC_SESSION: async_session,
        Kind.SYNC_CONNECTION: sync_connection,
        Kind.ASYNC_CONNECTION: async_connection,
        Kind.SYNC_FACTORY: sync_factory,
        Kind.ASYNC_FACTORY: async_factory,
    }[kind]
