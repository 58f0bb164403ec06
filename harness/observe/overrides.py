"""Which production dependencies the tests replace: their own code never runs then, and some of it matters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from harness.callsite import code_of, is_users, site_of
from harness.observe.facts import Overridden

#: `state` hands on a session that a middleware has put into `request.state`, and may commit.
_COMMITTING = frozenset({"commit", "begin", "state"})


def overridden(overrides: Mapping[Any, Any]) -> list[Overridden]:
    """Return the facts of the dependencies that are overridden."""
    return [_fact(dependency) for dependency in overrides if callable(dependency)]


@lru_cache(maxsize=512)
def _fact(dependency: Any) -> Overridden:
    function = inspect.unwrap(getattr(dependency, "func", dependency))
    code = code_of(function)
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(type(function)))}"
    return Overridden(
        name=name,
        site=site_of(code) if code is not None else None,
        commits=code is not None and _commits(code, getattr(function, "__globals__", {}), depth=2),
    )


def _commits(code: CodeType, names: Mapping[str, Any], depth: int) -> bool:
    """Tell whether some code, or a function of the user's that it names, commits or opens a transaction that does."""
    if _COMMITTING.intersection(code.co_names):
        return True
    for name in code.co_names if depth else ():
        called = inspect.unwrap(value) if callable(value := names.get(name)) else None
        inner = code_of(called)
        if inner is None or not is_users(inner.co_filename):
            continue
        if _commits(inner, getattr(called, "__globals__", {}), depth - 1):
            return True
    return False
