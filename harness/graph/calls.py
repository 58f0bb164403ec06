"""What a function does with its sessions in its own body.

A method that is only named, as in `run_in_threadpool(db.commit)`, is not called here, and neither is what a nested
function or a lambda calls: where those run is not known.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from harness.ext_asyncio import AsyncConnection, AsyncSession
from harness.graph.facts import SessionCall
from harness.graph.sorts import sort_of
from harness.session.evidence import Kind

if TYPE_CHECKING:
    from harness.graph.scope import Scope
    from harness.session.evidence import Provision

#: Methods of a session or connection that talk to the database; `exec` is SQLModel's.
_TALKING = frozenset(
    {
        "bulk_insert_mappings",
        "bulk_save_objects",
        "bulk_update_mappings",
        "commit",
        "exec",
        "exec_driver_sql",
        "execute",
        "flush",
        "get",
        "get_one",
        "merge",
        "refresh",
        "rollback",
        "scalar",
        "scalars",
    }
)
#: Methods of a legacy query that send it.
_SENDING = frozenset({"all", "count", "delete", "first", "get", "one", "one_or_none", "scalar", "update"})
_HELD = {Kind.SYNC_SESSION, Kind.SYNC_CONNECTION}
_AWAITED: dict[Kind, type[Any]] = {Kind.ASYNC_SESSION: AsyncSession, Kind.ASYNC_CONNECTION: AsyncConnection}


def session_calls(scope: Scope) -> tuple[SessionCall, ...]:
    """Return the calls that talk to the database and wait for it, and those that nobody awaits, in source order."""
    return tuple(_calls(scope))


def is_interesting(code: CodeType) -> bool:
    """Tell whether code can contain such a call: a cheap test before its source is read."""
    return not _interesting().isdisjoint(code.co_names)


def _calls(scope: Scope) -> Iterator[SessionCall]:
    dropped = {id(node.value) for node in scope.nodes if isinstance(node, ast.Expr)}
    for node in scope.nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method, holder = node.func.attr, node.func.value
        if method not in _interesting():
            continue
        found = _holder(scope, holder, method)
        if found is None:
            continue
        session, provision = found
        if provision.kind in _AWAITED and id(node) not in dropped:
            continue
        legacy = session is not holder
        yield SessionCall(
            session=ast.unparse(session),
            method="query" if legacy else method,
            sort=sort_of(provision),
            site=scope.site(node),
            dropped=id(node) in dropped,
        )


def _holder(scope: Scope, holder: ast.expr, method: str) -> tuple[ast.expr, Provision] | None:
    """Return the session that a call is made on, if the call talks to its database."""
    provision = scope.value(holder)
    if provision and provision.kind in _HELD and method in _TALKING:
        return holder, provision
    if provision and provision.kind in _AWAITED and method in _coroutines(provision.session_class, provision.kind):
        return holder, provision
    if provision is None and method in _SENDING:
        session = _queried(scope, holder, 0)
        provision = scope.value(session)
        if session is not None and provision and provision.kind is Kind.SYNC_SESSION:
            return session, provision
    return None


def _queried(scope: Scope, node: ast.expr, depth: int) -> ast.expr | None:
    """Return the session at the root of a chain such as `db.query(Item).filter(...)`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "query":
            return node.func.value
        node = node.func.value
    made = scope.bindings(node.id) if isinstance(node, ast.Name) and depth < 4 else []
    return _queried(scope, made[0], depth + 1) if made else None


def _coroutines(cls: type[Any] | None, kind: Kind) -> frozenset[str]:
    base = _AWAITED[kind]
    known: Any = cls if cls is not None and issubclass(cls, base) else base
    found: frozenset[str] = _coroutines_of(known)
    return found


@functools.lru_cache(maxsize=64)
def _coroutines_of(cls: type[Any]) -> frozenset[str]:
    return frozenset(name for name in dir(cls) if inspect.iscoroutinefunction(inspect.getattr_static(cls, name, None)))


@functools.lru_cache(maxsize=1)
def _interesting() -> frozenset[str]:
    return _TALKING | _SENDING | _coroutines_of(AsyncSession) | _coroutines_of(AsyncConnection)
