"""What the names in a function stand for, without running any of the user's code.

Two questions can be asked about an expression: which object is it, and, where it has not been made yet, is what it
will give a session, a connection or a factory of sessions. Every step must be understood; when one is not, the answer
is that nothing is known.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
from collections import defaultdict
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any, Final

from harness.callsite import CallSite, site_of
from harness.graph.source import function_node, own_nodes
from harness.session.annotations import hints, imported
from harness.session.body import of_call
from harness.session.callables import Behind, FunctionNode, behind
from harness.session.evidence import Kind, Provision, of_annotation, of_class, of_object

UNKNOWN: Final = object()
_TRANSPARENT = (contextlib.closing, getattr(contextlib, "aclosing", None), next, anext)
_MADE_BY_BEGIN = {
    Kind.SYNC_FACTORY: Kind.SYNC_SESSION,
    Kind.ASYNC_FACTORY: Kind.ASYNC_SESSION,
}
_DEPTH = 8


class Scope:
    """One function of the user's, and what it was given.

    Args:
        found: the function, its `self`, and the arguments that are fixed.
        node: its source.
        given: what its parameters receive, where that is known better than from their annotations.
    """

    def __init__(self, found: Behind, node: FunctionNode, given: Mapping[str, Provision]) -> None:
        self.function = found.function
        self.node = node
        self.nodes = list(own_nodes(node))
        self._found = found
        self._given = given
        self._bindings: dict[str, list[ast.expr]] = defaultdict(list)
        self._bound: set[str] = set()
        self._globals = {name for one in self.nodes if isinstance(one, ast.Global) for name in one.names}
        for one in self.nodes:
            self._bind(one)
        arguments = node.args
        self.parameters = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        imports = [one for one in self.nodes if isinstance(one, ast.Import | ast.ImportFrom)]
        self._imports = imported(imports, found.function.__globals__.get("__package__") or "") if imports else {}

    def site(self, node: ast.AST | None = None) -> CallSite:
        """Return the place of a node of this function; without one, of its `def`."""
        return site_of(self.function.__code__, getattr(node or self.node, "lineno", None))

    def bindings(self, name: str) -> list[ast.expr]:
        """Return the expressions that a local name, or a global one declared so, is bound to here."""
        return self._bindings.get(name, [])

    def binds_global(self, name: str) -> bool:
        """Tell whether a name is declared `global` here."""
        return name in self._globals

    def value(self, node: ast.expr | None, depth: int = 0) -> Provision | None:
        """Tell what an expression gives, if it is a session, a connection or a factory of sessions."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Await | ast.NamedExpr):
            return self.value(node.value, depth + 1)
        if isinstance(node, ast.Call):
            return self._called(node, depth)
        if isinstance(node, ast.Name):
            return self._named(node, depth)
        if isinstance(node, ast.Attribute):
            found = self.concrete(node)
            return None if found is UNKNOWN else of_object(found)
        return None

    def concrete(self, node: ast.expr | None) -> Any:
        """Return the object that a name or a dotted name stands for, or `UNKNOWN`."""
        if isinstance(node, ast.Attribute):
            holder = self.concrete(node.value)
            return UNKNOWN if holder is UNKNOWN else attribute(holder, node.attr)
        return self._look_up(node.id) if isinstance(node, ast.Name) else UNKNOWN

    def callee(self, node: ast.expr | None) -> Any:
        """Return the object that an expression calls, or `UNKNOWN`."""
        while isinstance(node, ast.Await):
            node = node.value
        return self.concrete(node.func) if isinstance(node, ast.Call) else UNKNOWN

    def called(self, node: ast.expr | None) -> Scope | None:
        """Return the scope of the user's function that an expression calls, with what it passes to it."""
        while isinstance(node, ast.Await):
            node = node.value
        callee = self.callee(node)
        if callee is UNKNOWN or isinstance(callee, type) or not isinstance(node, ast.Call):
            return None
        return scope_of(callee, self._passed(callee, node))

    def _passed(self, callee: object, node: ast.Call) -> dict[str, Provision]:
        found = behind(callee)
        if found is None:
            return {}
        code = found.function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if found.instance is not None:
            names = names[1:]
        pairs = [*zip(names, node.args, strict=False), *((one.arg, one.value) for one in node.keywords if one.arg)]
        return {name: value for name, expression in pairs if name and (value := self.value(expression))}

    def _named(self, node: ast.Name, depth: int) -> Provision | None:
        name = node.id
        made = [one for one in self._bindings.get(name, ()) if not _is_none(one)]
        if made:
            values = [self.value(one, depth + 1) for one in made]
            return values[0] if len({one and one.kind for one in values}) == 1 else None
        if name in self._given:
            return self._given[name]
        found = self._look_up(name)
        if found is not UNKNOWN:
            return of_object(found)
        return of_annotation(hints(self.function).get(name)) if name in self.parameters else None

    def _called(self, node: ast.Call, depth: int) -> Provision | None:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "begin":
            holder = self.value(node.func.value, depth + 1)
            if holder and holder.kind in _MADE_BY_BEGIN:
                return holder.made()
        callee = self.concrete(node.func)
        if callee is UNKNOWN:
            holder = self.value(node.func, depth + 1)
            return holder and holder.made()
        if any(callee is transparent for transparent in _TRANSPARENT):
            return self.value(node.args[0], depth + 1) if node.args else None
        classes = [self.concrete(keyword.value) for keyword in node.keywords if keyword.arg == "class_"]
        if isinstance(callee, type) and classes and isinstance(classes[0], type):
            made = of_class(callee) and of_class(classes[0])
            return made and made.factory()
        return of_call(callee)

    def _look_up(self, name: str) -> Any:
        if name in self._bound and name not in self._globals:
            return UNKNOWN
        if name in self._imports:
            return self._imports[name]
        if name in self.parameters:
            is_self = self._found.instance is not None and name == self.parameters[0]
            return self._found.instance if is_self else self._found.bound.get(name, UNKNOWN)
        function = self.function
        if name in (*function.__code__.co_varnames, *function.__code__.co_cellvars):
            return UNKNOWN
        if name in function.__code__.co_freevars:
            cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
            try:
                return cell.cell_contents
            except ValueError:  # not filled yet
                return UNKNOWN
        return function.__globals__.get(name, vars(builtins).get(name, UNKNOWN))

    def _bind(self, node: ast.AST) -> None:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.For | ast.AsyncFor):
            pairs = [(node.target, node.iter)]
        elif isinstance(node, ast.withitem) and node.optional_vars:
            pairs = [(node.optional_vars, node.context_expr)]
        elif isinstance(node, ast.ExceptHandler | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name:
            self._bound.add(node.name)
        for target, value in pairs:
            if isinstance(target, ast.Name):
                self._bindings[target.id].append(value)
                self._bound.add(target.id)


def scope_of(call: object, given: Mapping[str, Provision] | None = None) -> Scope | None:
    """Return the scope of the user's function behind a callable; None if there is none, or it cannot be read."""
    found = behind(call)
    node = function_node(found.function) if found else None
    return Scope(found, node, given or {}) if found and node else None


def attribute(holder: object, name: str) -> Any:
    """Return an attribute of an object, bound as it would be, without running properties; or `UNKNOWN`."""
    try:
        found = inspect.getattr_static(holder, name)
    except AttributeError:
        return UNKNOWN
    if isinstance(found, staticmethod):
        return found.__func__
    if isinstance(found, classmethod):
        return MethodType(found.__func__, holder if isinstance(holder, type) else type(holder))
    if isinstance(found, FunctionType) and not isinstance(holder, type) and name not in _instance_dict(holder):
        return MethodType(found, holder)
    if isinstance(found, property) or type(found).__name__ in ("member_descriptor", "getset_descriptor"):
        return UNKNOWN
    return found


def _instance_dict(holder: object) -> Mapping[str, object]:
    try:
        found = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
