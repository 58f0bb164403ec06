"""polyfactory's `SQLAlchemyFactory`, bound to the test's sessions.

`__session__` and `__async_session__` of the base class, its public settings, give the test's sessions for as long as
the run lasts; a factory that sets them itself keeps what it set. `_get_sync_persistence` is wrapped so that storing
through a session inside an `AsyncSession` needs no greenlet, and so that what goes wrong is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.factories.explained import explained
from harness.factories.guests import asynchronous

if TYPE_CHECKING:
    from harness.factories.desk import Desk


class _TestSession:
    """A class attribute that is looked up anew each time."""

    def __init__(self, desk: Desk, session: Callable[[], Any]) -> None:
        self._desk = desk
        self._session = session

    def __get__(self, instance: Any, owner: type) -> Any:
        return self._session() if self._desk.open else None


class _Explained:
    """A persistence handler whose errors are explained."""

    def __init__(self, handler: Any, factory: type, desk: Desk) -> None:
        self._handler = handler
        self._factory = factory
        self._desk = desk

    def save(self, data: Any) -> Any:
        """Store one object."""
        with explained(self._factory, self._desk), self._desk.call():
            return self._handler.save(data)

    def save_many(self, data: list[Any]) -> Any:
        """Store several objects."""
        with explained(self._factory, self._desk), self._desk.call():
            return self._handler.save_many(data)


@contextmanager
def bound(desk: Desk) -> Iterator[None]:
    """Bind all factories until the context ends; polyfactory must be imported."""
    from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

    from harness.ext_asyncio import AsyncSession

    replaced = {name: vars(SQLAlchemyFactory)[name] for name in ("__session__", "__async_session__")}
    original = vars(SQLAlchemyFactory)["_get_sync_persistence"]

    def _get_sync_persistence(cls: Any) -> Any:
        if isinstance(cls.__session__, AsyncSession):
            raise asynchronous(cls, "AsyncSession", "__session__")
        return _Explained(original.__func__(cls), cls, desk)

    SQLAlchemyFactory.__session__ = _TestSession(desk, desk.session)  # type: ignore[assignment]  # given when looked up
    SQLAlchemyFactory.__async_session__ = _TestSession(desk, desk.async_session)  # type: ignore[assignment]  # as above
    SQLAlchemyFactory._get_sync_persistence = classmethod(_get_sync_persistence)  # type: ignore[assignment,method-assign]  # restored below
    try:
        yield
    finally:
        for name, value in replaced.items():
            setattr(SQLAlchemyFactory, name, value)
        setattr(SQLAlchemyFactory, "_get_sync_persistence", original)  # noqa: B010 - mypy takes it for a method
