"""Which functions of the user's a function calls, two calls deep, and whether any of them is worth reading.

Most endpoints neither make engines nor use global sessions. The names that their code objects mention tell that, long
before their source would have to be parsed.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from harness.callsite import is_users
from harness.graph.objects import is_session
from harness.graph.scope import Scope
from harness.session.callables import behind

_DEPTH = 2
_MAKERS = frozenset({"create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config"})


class Reach:
    """Remembers what was already looked at."""

    def __init__(self) -> None:
        self._suspicious: dict[tuple[CodeType, int], bool] = {}

    def scopes(self, scope: Scope) -> list[Scope]:
        """Return a scope and those of the user's functions that it calls, at most two calls deep, each once."""
        found = {scope.function.__code__: scope}
        level = [scope]
        for _ in range(_DEPTH):
            level = [inner for outer in level for inner in _called(outer) if _add(found, inner)]
        return list(found.values())

    def is_suspicious(self, function: FunctionType, depth: int = _DEPTH) -> bool:
        """Tell whether a function, or one that it calls, mentions a global session or something that makes engines."""
        key = (function.__code__, depth)
        known = self._suspicious.get(key)
        if known is None:
            self._suspicious[key] = False  # while it is looked at, for functions that call each other
            known = self._suspicious[key] = any(self._is_telling(value, depth) for value in _mentioned(function))
        return known

    def _is_telling(self, value: object, depth: int) -> bool:
        if is_session(value) or makes_engines(value):
            return True
        if not isinstance(value, FunctionType) or not depth:  # a cache is no function, and what it keeps is made once
            return False
        found = behind(value)
        if found is None or not is_users(found.function.__code__.co_filename):
            return False
        return self.is_suspicious(found.function, depth - 1)


def makes_engines(value: object) -> bool:
    """Tell whether something is one of SQLAlchemy's, or SQLModel's, functions that make an engine."""
    if not isinstance(value, FunctionType) or value.__name__ not in _MAKERS:
        return False
    return str(value.__module__).partition(".")[0] in ("sqlalchemy", "sqlmodel")


def is_cached(call: Any) -> bool:
    """Tell whether `functools.cache` or `functools.lru_cache` stands before a function."""
    while isinstance(call, functools.partial):
        call = call.func
    return isinstance(call, functools._lru_cache_wrapper)


def _called(scope: Scope) -> Iterator[Scope]:
    for node in scope.nodes:
        if isinstance(node, ast.Call) and not is_cached(scope.callee(node)):
            inner = scope.called(node)
            if inner:
                yield inner


def _add(found: dict[CodeType, Scope], scope: Scope) -> bool:
    return found.setdefault(scope.function.__code__, scope) is scope


def _mentioned(function: FunctionType) -> Iterator[object]:
    """Yield the global objects that a function's code names, also as attributes of the user's modules."""
    names = function.__code__.co_names
    space = function.__globals__
    for name in names:
        value = space.get(name)
        if isinstance(value, ModuleType):
            inner = vars(value)
            yield from (inner[other] for other in names if other in inner)
        else:
            yield value
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
