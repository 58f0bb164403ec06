"""Look behind a dependency: which function runs, with which ``self``, what it is called, what its source says.

FastAPI accepts anything that can be called: functions, bound methods, callable instances, partials, classes, lambdas
and wrapped versions of all of them. Everything else in this room works on the plain function found here.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The function behind a callable.

    Args:
        function: the plain Python function that runs.
        instance: its ``self``, when there is one.
        bound: the arguments that a partial has fixed.
    """

    function: FunctionType
    instance: object | None
    bound: Mapping[str, object]


def behind(call: object) -> Behind | None:
    """Return the plain function behind a callable, or None when it is written in C."""
    if isinstance(call, functools.partial):
        return _behind_partial(call)
    call = _unwrapped(call)
    if isinstance(call, MethodType):
        inner = behind(call.__func__)
        return inner and Behind(function=inner.function, instance=call.__self__, bound=inner.bound)
    if isinstance(call, FunctionType):
        return Behind(function=call, instance=None, bound={})
    method = _unwrapped(inspect.getattr_static(call, "__init__" if isinstance(call, type) else "__call__", None))
    if not isinstance(method, FunctionType):
        return None
    return Behind(function=method, instance=None if isinstance(call, type) else call, bound={})


def signature(call: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a callable, of which only the parameters matter.

    Since Python 3.14 annotations are evaluated here, and names imported for type checkers alone would raise.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(call, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(call)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function's own body, without those of functions and classes nested in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from own_nodes(child)


def syntax(function: FunctionType) -> FunctionNode | None:
    """Return the syntax tree of a function, or None when its source cannot be read on its own."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    wanted = (ast.Lambda,) if function.__name__ == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, wanted)]
    if not found or (wanted == (ast.Lambda,) and len(found) > 1):
        return None
    node = found[0]
    assert isinstance(node, FunctionNode)
    return node


def is_placeholder(call: object) -> bool:
    """Tell whether a dependency is only there to be overridden: its body is empty or raises NotImplementedError."""
    found = behind(call)
    node = None if found is None or isinstance(call, type) else syntax(found.function)
    if node is None or isinstance(node, ast.Lambda):
        return False
    body = [statement for statement in node.body if not _is_text_or_ellipsis(statement)]
    refuses = bool(body) and _refuses(body[0])
    if refuses and len(body) == 2 and _is_bare_yield(body[1]):  # the yield that makes it a generator is never reached
        return True
    return all(isinstance(statement, ast.Pass) for statement in body) or (refuses and len(body) == 1)


def name_of(call: object, modules: Iterable[str] = ()) -> str:
    """Return ``module:qualname`` of a callable, preferring a name under which it can be looked up again.

    Args:
        call: the callable.
        modules: further modules in which its name may stand, such as those that use it.
    """
    owner: object = call.__self__ if isinstance(call, MethodType) else call
    method = f".{call.__func__.__name__}" if isinstance(call, MethodType) else ""
    home = _home(call)
    qualname = getattr(call, "__qualname__", None)
    if not method and qualname and "<" not in qualname:
        return f"{home}:{qualname}"
    for module in dict.fromkeys((home, *modules)):
        for name, value in vars(sys.modules.get(module, object)).items():
            if value is owner and not name.startswith("__"):
                return f"{module}:{name}{method}"
    if qualname:
        return f"{home}:{qualname}"
    inner = call.func if isinstance(call, functools.partial) else type(call)
    what = "a partial of it" if isinstance(call, functools.partial) else "an instance"
    return f"{home}:{getattr(inner, '__qualname__', type(inner).__qualname__)} ({what})"


def module_of(call: object) -> str:
    """Return the name of the module in which a callable was defined."""
    return _home(call)


def _unwrapped(call: Any) -> object:
    try:
        return inspect.unwrap(call)
    except Exception:  # noqa: BLE001 - a cycle of __wrapped__, or a proxy that raises whatever is asked of it
        return None


def _behind_partial(call: functools.partial[Any]) -> Behind | None:
    inner = behind(call.func)
    if inner is None:
        return None
    try:
        arguments = signature(call.func).bind_partial(*call.args, **call.keywords).arguments
    except (TypeError, ValueError):
        arguments = {}
    return Behind(function=inner.function, instance=inner.instance, bound={**inner.bound, **arguments})


def _home(call: object) -> str:
    while isinstance(call, functools.partial):
        call = call.func
    module = getattr(call, "__module__", None)
    return module if isinstance(module, str) else type(call).__module__


def _is_text_or_ellipsis(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return False
    return statement.value.value is ... or isinstance(statement.value.value, str)


def _refuses(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Raise):
        return False
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _is_bare_yield(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield)
