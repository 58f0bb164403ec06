"""A session as it was: what a test's fixtures arranged in it is there again, what came later is gone.

A rollback gives the rows back, but a session also remembers objects. Those that were loaded when it was marked stay
attached to it, with the values they had; all others leave it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.ext.mutable import MutableBase
from sqlalchemy.orm import make_transient, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session


def mark(session: Session) -> Callable[[], None]:
    """Commit what the session has begun, and return a function that makes it again what it is now.

    The rows themselves are not its business: a level of isolation undoes them.
    """
    if session.in_transaction():
        session.commit()
    kept = [_Kept.of(instance) for instance in session]
    return lambda: _put_back(session, kept)


def mark_async(session: AsyncSession) -> Callable[[], None]:
    """Do the same for an asynchronous session, from code that no event loop runs.

    Inside of one nothing can be awaited here, so what was not sent by then is let go.
    """
    inner = session.sync_session
    if inner.in_transaction() and asyncio._get_running_loop() is None:
        from sqlalchemy.util import greenlet_spawn

        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(greenlet_spawn(inner.commit))
        finally:
            loop.close()
    kept = [_Kept.of(instance) for instance in inner.identity_map.values()]
    return lambda: _put_back(inner, kept)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An object of a session: its identity, the values that were loaded, and the objects that it referred to."""

    instance: Any
    key: tuple[Any, ...]
    values: dict[str, Any]
    related: dict[str, Any]

    @classmethod
    def of(cls, instance: Any) -> _Kept:
        state = inspect(instance)
        columns, relations = state.mapper.column_attrs, state.mapper.relationships
        values = {one.key: state.dict[one.key] for one in columns if one.key in state.dict}
        related = {one.key: state.dict[one.key] for one in relations if one.key in state.dict}
        return cls(
            instance,
            state.key,
            # An object that reports its own changes belongs to its owner; it is loaded anew.
            {name: _copied(value) for name, value in values.items() if not isinstance(value, MutableBase)},
            {name: _members(value) for name, value in related.items()},
        )

    @property
    def moved(self) -> bool:
        """Tell whether it is not where it was: deleted, expunged, or known by another primary key."""
        state = inspect(self.instance)
        return bool(state.key != self.key or not state.persistent)

    def load(self) -> None:
        """Give it the values it had."""
        for name, value in self.values.items():
            set_committed_value(self.instance, name, _copied(value))
        for name, value in self.related.items():
            set_committed_value(self.instance, name, value)


def _put_back(session: Session, kept: Iterable[_Kept]) -> None:
    session.rollback()
    session.expire_all()
    ours = {id(one.instance) for one in kept}
    for instance in list(session):
        if id(instance) not in ours and instance in session:
            session.expunge(instance)
    moved = [one for one in kept if one.moved or inspect(one.instance).session is not session]
    for one in moved:
        _forget(one)
    for one in moved:
        session.add(one.instance)
        session.expire(one.instance)
    for one in kept:
        one.load()


def _forget(one: _Kept) -> None:
    """Take an object out of whatever session it is in, as one that was loaded with its old identity."""
    make_transient(one.instance)
    state = inspect(one.instance)
    for relation in state.mapper.relationships:
        state.dict.pop(relation.key, None)  # otherwise they would come along when it is added
    for column, value in zip(state.mapper.primary_key, one.key[1], strict=True):
        set_committed_value(one.instance, state.mapper.get_property_by_column(column).key, value)
    make_transient_to_detached(one.instance)


def _copied(value: Any) -> Any:
    """Copy what a test could change in place."""
    return deepcopy(value) if isinstance(value, list | set | dict | bytearray) else value


def _members(value: Any) -> Any:
    """Return the objects in a loaded collection; what is none is the object itself."""
    adapter = getattr(value, "_sa_adapter", None)
    return list(adapter) if adapter is not None else value
