"""What a function makes or keeps that should not be made there or kept: engines, and sessions that outlive requests."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from harness.graph.facts import DefaultSession, EngineMade, SharedSession
from harness.graph.objects import Objects, is_session
from harness.graph.reach import is_cached, makes_engines
from harness.graph.scope import UNKNOWN, Scope
from harness.graph.sorts import sort_of
from harness.session.body import of_call
from harness.session.evidence import Kind, of_object

if TYPE_CHECKING:
    from harness.callsite import CallSite

_KEEPING = frozenset({"setdefault", "append", "add", "set", "put"})
_SESSIONS = {Kind.SYNC_SESSION, Kind.ASYNC_SESSION}


def engines_made(scopes: Iterable[Scope]) -> Iterator[EngineMade]:
    """Yield the engines that functions make each time they run: those that are kept for the next time are left out."""
    for scope in scopes:
        kept = _kept(scope)
        for node, conditional in _calls(scope.node, conditional=False):
            callee = scope.concrete(node.func)
            if not conditional and makes_engines(callee) and id(node) not in kept:
                names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                yield EngineMade(
                    maker=callee.__name__,
                    site=scope.site(node),
                    from_parameters=not names.isdisjoint(scope.parameters),
                    disposed=any(isinstance(one, ast.Attribute) and one.attr == "dispose" for one in scope.nodes),
                )


def shared_sessions(scopes: Iterable[Scope], objects: Objects) -> Iterator[SharedSession]:
    """Yield the sessions that functions use and that somebody else uses too: global ones, and those of an instance."""
    for scope in scopes:
        seen: set[int] = set()
        for node in scope.nodes:
            if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            value = scope.concrete(node)
            if value is UNKNOWN or not is_session(value) or id(value) in seen:
                continue
            seen.add(id(value))
            made = objects.made(value)
            if made and _is_scoped(made.value):  # something has put a session into its place, a test perhaps
                continue
            provision = of_object(value)
            if provision:
                yield SharedSession(
                    name=ast.unparse(node),
                    sort=sort_of(provision),
                    made=made.site if made else None,
                    used=scope.site(node),
                )
        yield from _kept_globally(scope)


def default_sessions(scopes: Iterable[Scope]) -> Iterator[DefaultSession]:
    """Yield the sessions that are default values of parameters."""
    for scope in scopes:
        for name, value in _defaults(scope.function):
            provision = of_object(value) if is_session(value) else None
            if provision:
                yield DefaultSession(parameter=name, sort=sort_of(provision), site=parameter_site(scope, name))


def cached_session(call: Any, scope: Scope) -> CallSite | None:
    """Return the cache from which a dependency gives its session: its own, or that of a function that it calls."""
    if is_cached(call):
        made = of_call(call)
        return scope.site() if made and made.kind in _SESSIONS else None
    for node in scope.nodes:
        if isinstance(node, ast.Yield | ast.Return) and node.value:
            for expression in _sources(scope, node.value):
                callee = scope.callee(expression)
                made = of_call(callee) if is_cached(callee) else None
                if made and made.kind in _SESSIONS:
                    inner = scope.called(expression)
                    return inner.site() if inner else scope.site(expression)
    return None


def parameter_site(scope: Scope, name: str) -> CallSite:
    """Return the line on which a parameter stands, or that of the function."""
    arguments = scope.node.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if one.arg == name:
            return scope.site(one)
    return scope.site()


def _sources(scope: Scope, node: ast.expr) -> list[ast.expr]:
    while isinstance(node, ast.Await):
        node = node.value
    return scope.bindings(node.id) if isinstance(node, ast.Name) else [node]


def _kept_globally(scope: Scope) -> Iterator[SharedSession]:
    """Yield the sessions that a function makes, and binds to a global name."""
    for node in scope.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            provision = scope.value(node.value) if scope.binds_global(name) else None
            scoped = _is_scoped(node.value) or is_cached(scope.callee(node.value))
            if provision and provision.kind in _SESSIONS and not scoped:
                site = scope.site(node)
                yield SharedSession(name=name, sort=sort_of(provision), made=site, used=site)


def _is_scoped(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and "scoped_session" in ast.unparse(value.func)


def _defaults(function: FunctionType) -> Iterator[tuple[str, object]]:
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _calls(node: ast.AST, *, conditional: bool) -> Iterator[tuple[ast.Call, bool]]:
    """Yield a function's calls, and whether each is made under a condition only, as that of a first time."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.arguments):
            continue
        if isinstance(child, ast.Call):
            yield child, conditional
        guards = isinstance(child, ast.If | ast.IfExp | ast.BoolOp | ast.ExceptHandler | ast.Match)
        yield from _calls(child, conditional=conditional or guards)


def _kept(scope: Scope) -> set[int]:
    """Return the identities of expressions whose value is kept beyond the call: in a global, an attribute, a cache."""
    found: set[int] = set()
    for node in scope.nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_outlives(scope, target) for target in targets):
                found.update(_expressions(scope, node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPING:
            for argument in node.args:
                found.update(_expressions(scope, argument))
    return found


def _outlives(scope: Scope, target: ast.expr) -> bool:
    if isinstance(target, ast.Name):
        return scope.binds_global(target.id)
    return isinstance(target, ast.Attribute | ast.Subscript)


def _expressions(scope: Scope, value: ast.expr) -> Iterator[int]:
    """Yield an expression's parts, and those of the local names in it."""
    for node in ast.walk(value):
        yield id(node)
        if isinstance(node, ast.Name):
            yield from (id(inner) for made in scope.bindings(node.id) for inner in ast.walk(made))
