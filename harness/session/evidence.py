"""Tell from a type or an object whether it is a SQLAlchemy session, a connection or a factory of sessions.

Only types decide. A class called ``BuildSession`` or a function called ``get_session_token`` is of no interest, and a
SQLAlchemy session is found under any name.
"""

from __future__ import annotations

import contextlib
import inspect
import types
import typing
from collections import abc
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.ext_asyncio import AsyncConnection, AsyncSession, async_scoped_session, async_sessionmaker


class Kind(Enum):
    """What a dependency gives."""

    SYNC_SESSION = "session"
    ASYNC_SESSION = "async session"
    SYNC_CONNECTION = "connection"
    ASYNC_CONNECTION = "async connection"
    SYNC_FACTORY = "session factory"
    ASYNC_FACTORY = "async session factory"

    @property
    def is_async(self) -> bool:
        """Tell whether what it gives is used with ``await``."""
        return self in {Kind.ASYNC_SESSION, Kind.ASYNC_CONNECTION, Kind.ASYNC_FACTORY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What a value is.

    Args:
        kind: session, connection or factory, sync or async.
        session_class: the class of the value, or of what a factory makes; None when it is not known.
    """

    kind: Kind
    session_class: type[Any] | None = None

    def made(self) -> Provision | None:
        """Return what calling this gives: a factory makes sessions, a scoped session gives its session."""
        if self.kind is Kind.SYNC_FACTORY:
            return Provision(kind=Kind.SYNC_SESSION, session_class=self.session_class)
        if self.kind is Kind.ASYNC_FACTORY:
            return Provision(kind=Kind.ASYNC_SESSION, session_class=self.session_class)
        return None

    def factory(self) -> Provision | None:
        """Return the factory that makes this, for sessions."""
        if self.kind is Kind.SYNC_SESSION:
            return Provision(kind=Kind.SYNC_FACTORY, session_class=self.session_class)
        if self.kind is Kind.ASYNC_SESSION:
            return Provision(kind=Kind.ASYNC_FACTORY, session_class=self.session_class)
        return None


_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (Session, Kind.SYNC_SESSION),
    (scoped_session, Kind.SYNC_SESSION),
    (AsyncSession, Kind.ASYNC_SESSION),
    (async_scoped_session, Kind.ASYNC_SESSION),
    (Connection, Kind.SYNC_CONNECTION),
    (AsyncConnection, Kind.ASYNC_CONNECTION),
)
_FACTORIES = (sessionmaker, async_sessionmaker)
_CONTEXTS: tuple[Any, ...] = (contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager)
_DELIVERY: tuple[Any, ...] = (
    abc.Generator,
    abc.Iterator,
    abc.Iterable,
    abc.AsyncGenerator,
    abc.AsyncIterator,
    abc.AsyncIterable,
    abc.Awaitable,
    *_CONTEXTS,
)


def of_annotation(annotation: Any) -> Provision | None:
    """Tell what a value so annotated is; None when it is nothing of SQLAlchemy's, or not known."""
    annotation = _bare(annotation)
    if isinstance(annotation, _FACTORIES):  # `db: SessionLocal`, where SessionLocal is a sessionmaker: its product
        made = of_object(annotation)
        return made and made.made()
    if isinstance(annotation, scoped_session | async_scoped_session):
        return of_object(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return of_class(annotation) if isinstance(annotation, type) else None
    if _is_delivery(origin):
        return of_annotation(arguments[0]) if arguments else None
    if origin is abc.Coroutine:
        return of_annotation(arguments[-1])
    if origin is abc.Callable:
        return _of_callable(arguments)
    if origin in (typing.Union, types.UnionType):
        return _of_union(arguments)
    if isinstance(origin, type) and issubclass(origin, _FACTORIES):
        made = of_annotation(arguments[0])
        return made and made.factory()
    return of_class(origin) if isinstance(origin, type) else None


def of_class(found: type[Any]) -> Provision | None:
    """Tell what the instances of a class are."""
    if issubclass(found, async_sessionmaker):
        return Provision(kind=Kind.ASYNC_FACTORY)
    if issubclass(found, sessionmaker):
        return Provision(kind=Kind.SYNC_FACTORY)
    for base, kind in _KINDS:
        if issubclass(found, base):
            return Provision(kind=kind, session_class=found)
    return None


def of_object(value: Any) -> Provision | None:
    """Tell what an object is, by its type alone: a proxy may raise when it is asked for its class."""
    if issubclass(type(value), _FACTORIES):
        # a sessionmaker makes instances of a subclass of its own of the class it was given; an async one does not
        given = value.class_.__base__ if issubclass(type(value), sessionmaker) else value.class_
        made = of_class(given) if given else None
        return made and made.factory()
    return of_class(type(value))


def says_nothing(annotation: Any) -> bool:
    """Tell whether an annotation leaves open what the value is: missing, Any, object, or a generator of those."""
    annotation = _bare(annotation)
    if any(annotation is anything for anything in (inspect.Parameter.empty, Any, object)):
        return True
    if isinstance(annotation, str | typing.ForwardRef):
        return True
    origin, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if _is_delivery(origin):
        return not arguments or says_nothing(arguments[0])
    return isinstance(annotation, typing.TypeVar)


def _is_delivery(origin: Any) -> bool:
    return any(origin is delivery for delivery in _DELIVERY)


def _of_callable(arguments: tuple[Any, ...]) -> Provision | None:
    """``Callable[[], Session]`` is a factory; one that takes arguments or is awaited cannot be replaced by ours."""
    if not arguments or arguments[0] not in ([], ...):
        return None
    origin = typing.get_origin(_bare(arguments[-1]))
    if origin is abc.Coroutine or (_is_delivery(origin) and origin not in _CONTEXTS):
        return None
    made = of_annotation(arguments[-1])
    return made and made.factory()


def _of_union(members: tuple[Any, ...]) -> Provision | None:
    """A union is a session when all its members are, None aside."""
    found = [of_annotation(member) for member in members if member is not type(None)]
    return found[0] if found and all(found) else None


def _bare(annotation: Any) -> Any:
    """Look through Annotated, NewType, type aliases and bounds of type variables, to what they stand for."""
    for _ in range(16):  # aliases may be recursive
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar) and annotation.__bound__ is not None:
            annotation = annotation.__bound__
        elif isinstance(annotation, typing.TypeVar) and annotation.__constraints__:
            annotation = typing.Union[annotation.__constraints__]  # noqa: UP007 - of a tuple, made at run time
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = _alias_value(annotation, ())
        elif type(origin).__name__ == "TypeAliasType":
            annotation = _alias_value(origin, typing.get_args(annotation))
        else:
            break
    return annotation


def _alias_value(alias: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return alias.__value__[arguments] if arguments else alias.__value__
    except Exception:  # noqa: BLE001 - the value of `type X = ...` is evaluated on access, and may raise anything
        return inspect.Parameter.empty
