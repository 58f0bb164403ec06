"""Read from the source of an unannotated dependency what it yields or returns.

This finds ``def get_db(): db = SessionLocal(); yield db``. A body that merely *uses* a session, such as one that looks
up the current user, must not be taken for one that *gives* a session; so the yielded expression is followed to where
its value was made, and every step must be understood. When one is not, nothing is said.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import inspect
from collections import defaultdict
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import scoped_session

from harness.ext_asyncio import async_scoped_session
from harness.session.annotations import hints, imported
from harness.session.callables import Behind, FunctionNode, behind, own_nodes, syntax
from harness.session.evidence import Kind, Provision, of_annotation, of_class, of_object, says_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = object()
_TRANSPARENT = (contextlib.closing, getattr(contextlib, "aclosing", None), next, anext)
_DEPTH = 4


def of_body(call: object, *, depth: int = 0) -> Provision | None:
    """Tell what a callable gives, by reading its source; None unless every value it gives is understood."""
    found = behind(call)
    if found is None or isinstance(call, type) or depth > _DEPTH:
        return None
    node = syntax(found.function)
    return _Body(found, node, depth).provision() if node else None


def of_call(call: object, *, depth: int = 0) -> Provision | None:
    """Tell what calling something gives: by its declared return type, or failing that by its body."""
    if isinstance(call, type):
        return of_class(call)
    if isinstance(call, scoped_session | async_scoped_session):
        return of_call(call.session_factory, depth=depth + 1)
    known = of_object(call)
    if known:
        return known.made()
    declared = hints(call).get("return", inspect.Parameter.empty)
    return of_body(call, depth=depth + 1) if says_nothing(declared) else of_annotation(declared)


class _Body:
    """One function body, and what its expressions are."""

    def __init__(self, found: Behind, node: FunctionNode, depth: int) -> None:
        self._found = found
        self._depth = depth
        self._nodes = list(own_nodes(node))
        self._lambda = node.body if isinstance(node, ast.Lambda) else None
        self._made = _assignments(self._nodes)
        self._parameters = [parameter.arg for parameter in ast.walk(node.args) if isinstance(parameter, ast.arg)]
        self._imports = imported(self._nodes, found.function.__globals__.get("__package__") or "")
        self._following: set[str] = set()

    def provision(self) -> Provision | None:
        return self._agreed(self._outputs())

    def _outputs(self) -> list[ast.expr | None]:
        if self._lambda:
            return [self._lambda]
        yields = [node.value for node in self._nodes if isinstance(node, ast.Yield | ast.YieldFrom)]
        return yields or [node.value for node in self._nodes if isinstance(node, ast.Return)]

    def _agreed(self, expressions: Iterable[ast.expr | None]) -> Provision | None:
        found = [self._value(expression) for expression in expressions]
        return found[0] if found and len({one and one.kind for one in found}) == 1 else None

    def _value(self, node: ast.expr | None) -> Provision | None:
        """Tell what an expression evaluates to."""
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self._value(node.value)
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._looked_up(node)
        return None

    def _looked_up(self, node: ast.Name | ast.Attribute) -> Provision | None:
        key = ast.unparse(node)
        if key in self._made:
            if key in self._following:
                return None
            self._following.add(key)
            found = self._agreed(value for value in self._made[key] if not _is_none(value))
            self._following.discard(key)
            return found
        concrete = self._concrete(node)
        if isinstance(concrete, property | functools.cached_property):
            return of_call(concrete.fget if isinstance(concrete, property) else concrete.func, depth=self._depth)
        if concrete is not _UNKNOWN:
            return of_object(concrete)
        if isinstance(node, ast.Name) and node.id in self._parameters:
            return of_annotation(hints(self._found.function).get(node.id))
        return None

    def _called(self, node: ast.Call) -> Provision | None:
        """Tell what a call gives."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "begin":
            holder = self._value(node.func.value)
            if holder and holder.kind in (Kind.SYNC_FACTORY, Kind.ASYNC_FACTORY):
                return holder.made()
        callee = self._concrete(node.func)
        if callee is _UNKNOWN:
            holder = self._value(node.func)
            return holder and holder.made()
        if any(callee is transparent for transparent in _TRANSPARENT):
            return self._value(node.args[0]) if node.args else None
        classes = [self._concrete(keyword.value) for keyword in node.keywords if keyword.arg == "class_"]
        if isinstance(callee, type) and classes and isinstance(classes[0], type):
            made = of_class(callee) and of_class(classes[0])
            return made and made.factory()
        return of_call(callee, depth=self._depth)

    def _concrete(self, node: ast.expr) -> Any:
        """Return the object that a name or a dotted name stands for, without running any code of the user's."""
        if isinstance(node, ast.Attribute):
            holder = self._concrete(node.value)
            return _UNKNOWN if holder is _UNKNOWN else _attribute(holder, node.attr)
        if not isinstance(node, ast.Name) or node.id in self._made:
            return _UNKNOWN
        if node.id in self._imports:
            return self._imports[node.id]
        if node.id in self._parameters:
            is_self = self._found.instance is not None and node.id == self._parameters[0]
            return self._found.instance if is_self else self._found.bound.get(node.id, _UNKNOWN)
        code = self._found.function.__code__
        if node.id in (*code.co_varnames, *code.co_cellvars):  # bound in a way that is not followed
            return _UNKNOWN
        return _names(self._found.function).get(node.id, _UNKNOWN)


def _assignments(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Map each local name, dotted or not, to the expressions it is bound to."""
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.For | ast.AsyncFor):
            pairs = [(node.target, node.iter)]
        elif isinstance(node, ast.withitem) and node.optional_vars:
            pairs = [(node.optional_vars, node.context_expr)]
        else:
            continue
        for target, value in pairs:
            found[ast.unparse(target)].append(value)
    return found


def _attribute(holder: object, name: str) -> Any:
    try:
        found = inspect.getattr_static(holder, name)
    except AttributeError:
        return _UNKNOWN
    if isinstance(found, staticmethod):
        return found.__func__
    if isinstance(found, classmethod):
        return MethodType(found.__func__, holder if isinstance(holder, type) else type(holder))
    if isinstance(found, FunctionType) and not isinstance(holder, type) and name in dir(type(holder)):
        return MethodType(found, holder)
    return found


def _names(function: FunctionType) -> dict[str, Any]:
    try:
        nonlocals = inspect.getclosurevars(function).nonlocals
    except ValueError:  # an empty cell
        nonlocals = {}
    return {**vars(builtins), **function.__globals__, **nonlocals}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
