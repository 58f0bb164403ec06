"""The engines and factories that a dependency's sessions come from, as the application made them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.engine import Engine as SqlEngine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import QueuePool

from harness.ext_asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from harness.graph.facts import Engine, Factory, OriginalEngine
from harness.graph.objects import Objects
from harness.graph.scope import UNKNOWN, Scope
from harness.session.evidence import Kind, of_object

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.pool import Pool

    from harness.callsite import CallSite

Original: TypeAlias = Callable[[SqlEngine], OriginalEngine]
_FACTORIES = (sessionmaker, async_sessionmaker)
_SCOPED = (scoped_session, async_scoped_session)
_EMBEDDED = frozenset({"sqlite", "duckdb"})


def describe(dialect: Dialect, pool: Pool) -> OriginalEngine:
    """Return what rules need to know of an engine with this dialect and this pool."""
    sized = isinstance(pool, QueuePool)
    overflow = getattr(pool, "_max_overflow", None) if sized else None  # no public way to ask; None is "unknown"
    return OriginalEngine(
        backend=dialect.name,
        server=dialect.name not in _EMBEDDED,
        asynchronous=dialect.is_async,
        pool=type(pool).__name__,
        size=pool.size() if isinstance(pool, QueuePool) else None,
        overflow=overflow if isinstance(overflow, int) else None,
    )


def as_it_is(engine: SqlEngine) -> OriginalEngine:
    """Describe an engine by what it is now; a run that has captured it knows what it was."""
    return describe(engine.dialect, engine.pool)


def sources(call: object, scopes: Iterable[Scope]) -> Iterator[tuple[object, CallSite]]:
    """Yield the factories, session classes and engines that a dependency takes its sessions from, and where.

    A class comes as the call that makes it, because its arguments matter.
    """
    for scope in scopes:
        for node in scope.nodes:
            if isinstance(node, ast.Call):
                callee = scope.concrete(node.func)
                if callee is UNKNOWN and isinstance(node.func, ast.Attribute):
                    callee = scope.concrete(node.func.value)  # SessionLocal.begin(), engine.connect()
                elif isinstance(callee, type) and issubclass(callee, Session | AsyncSession):
                    yield _Made(callee, node, scope), scope.site(node)
                    continue
                callee = getattr(callee, "__self__", callee)
                yield callee, scope.site(node)
            elif isinstance(node, ast.Yield | ast.Return) and node.value:
                yield scope.concrete(node.value), scope.site(node)


def factories(found: Iterable[tuple[object, CallSite]], objects: Objects) -> Iterator[Factory]:
    """Yield the factories of asynchronous sessions among the sources of a dependency."""
    for source, site in found:
        source = _behind_scope(source)
        if isinstance(source, _Made):
            if source.cls.__init__ is AsyncSession.__init__ and source.says_all:
                kept = source.says("expire_on_commit", True)
                yield Factory(name=source.cls.__name__, site=site, expires_on_commit=kept is True)
        elif isinstance(source, _FACTORIES):
            provision = of_object(source)
            if provision and provision.kind is Kind.ASYNC_FACTORY:
                made = objects.made(source)
                expires = source.kw.get("expire_on_commit") is not False and not _decides_itself(source.class_)
                yield Factory(
                    name=made.name if made else type(source).__name__,
                    site=made.site if made else site,
                    expires_on_commit=expires,
                )


def engines(found: Iterable[tuple[object, CallSite]], objects: Objects, original: Original) -> Iterator[Engine]:
    """Yield the engines among, or behind, the sources of a dependency."""
    for source, site in found:
        source = _behind_scope(source)
        bind: object = None
        if isinstance(source, _Made):
            bind = source.bind()
        elif isinstance(source, _FACTORIES):
            bind = source.kw.get("bind")
        elif isinstance(source, SqlEngine | AsyncEngine):
            bind = source
        if isinstance(bind, SqlEngine | AsyncEngine):
            made = objects.made(bind)
            sync = bind.sync_engine if isinstance(bind, AsyncEngine) else bind
            yield Engine(
                name=made.name if made else "engine", site=made.site if made else site, original=original(sync)
            )


class _Made:
    """A session class as it is called."""

    def __init__(self, cls: type[Any], node: ast.Call, scope: Scope) -> None:
        self.cls = cls
        self._node = node
        self._scope = scope

    @property
    def says_all(self) -> bool:
        """Tell whether no argument is hidden in a `**mapping`."""
        return all(keyword.arg for keyword in self._node.keywords)

    def says(self, name: str, default: object) -> object:
        """Return a constant argument."""
        for keyword in self._node.keywords:
            if keyword.arg == name:
                return keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        return default

    def bind(self) -> object:
        """Return the object that it is bound to."""
        given = [keyword.value for keyword in self._node.keywords if keyword.arg == "bind"] or self._node.args[:1]
        return self._scope.concrete(given[0]) if given else None


def _behind_scope(source: object) -> object:
    return source.session_factory if isinstance(source, _SCOPED) else source


def _decides_itself(cls: type[Any]) -> bool:
    """Tell whether a session class has a constructor of the user's, which may do as it likes."""
    return any("__init__" in vars(base) and base.__module__.partition(".")[0] not in _KNOWN for base in cls.__mro__)


_KNOWN = frozenset({"sqlalchemy", "sqlmodel", "builtins", "typing"})
