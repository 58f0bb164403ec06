"""Read the annotations of a callable as types, as far as they can be read.

`typing.get_type_hints` gives up altogether when one name is missing, and a name imported under ``if TYPE_CHECKING:`` is
always missing. Here such imports are looked up where they point to, and an annotation that still cannot be evaluated
is left out, without taking the others with it.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import inspect
import sys
import typing
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from harness.session.callables import behind

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def hints(call: object) -> dict[str, Any]:
    """Return the annotations of a callable that can be evaluated; for a class, those of its fields and ``__init__``."""
    found = behind(call)
    fields = _evaluated(call, _module(call)) if isinstance(call, type) else {}
    if found is None:
        return fields
    named = _evaluated(found.function, sys.modules.get(found.function.__module__))
    if isinstance(call, type):
        named.pop("return", None)  # of __init__, which is not what calling the class returns
    return {**fields, **named}


def imported(nodes: Iterable[ast.AST], package: str) -> dict[str, Any]:
    """Return what import statements bind, among the modules that are loaded already; nothing is imported."""
    found: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            module = sys.modules.get(_absolute(node, package))
            for alias in node.names:
                if module is not None and alias.name in vars(module):
                    found[alias.asname or alias.name] = vars(module)[alias.name]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.name if alias.asname else alias.name.partition(".")[0]
                if bound in sys.modules:
                    found[alias.asname or bound] = sys.modules[bound]
    return found


def _evaluated(holder: Any, module: ModuleType | None) -> dict[str, Any]:
    with contextlib.suppress(Exception):  # evaluating a user's annotation can raise anything
        return typing.get_type_hints(holder, include_extras=True)
    names = _names(holder, module)
    return _one_by_one(_raw(holder), names)


def _one_by_one(raw: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, annotation in raw.items():
        carrier = SimpleNamespace(__annotations__={name: annotation})
        with contextlib.suppress(Exception):  # as above: this one stays unknown
            found[name] = typing.get_type_hints(carrier, globalns=names, include_extras=True)[name]
    return found


def _raw(holder: Any) -> Mapping[str, Any]:
    """Return annotations unevaluated. Since Python 3.14 even looking at them evaluates them, unless asked not to."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(holder, format=annotationlib.Format.STRING)
    return inspect.get_annotations(holder)


def _names(holder: Any, module: ModuleType | None) -> dict[str, Any]:
    names = dict(vars(module)) if module else {}
    if isinstance(holder, FunctionType):
        names.update(holder.__globals__)
        cells = zip(holder.__code__.co_freevars, holder.__closure__ or (), strict=True)
        names.update({name: cell.cell_contents for name, cell in cells if _is_filled(cell)})
    return {**_type_checking_imports(module), **names} if module else names


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell raises, and there is no other way to ask
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _type_checking_imports(module: ModuleType) -> dict[str, Any]:
    """Return what a module imports under ``if TYPE_CHECKING:``."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return {}
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    statements = [statement for block in blocks for statement in block.body]
    return imported(statements, module.__package__ or "")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:
        return ""


def _module(call: type) -> ModuleType | None:
    return sys.modules.get(call.__module__)
