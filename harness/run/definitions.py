"""Whose fixture is it? pytest has no public way to ask without setting the fixture up; this is the one place that does.

Pinned by tests on the lowest and newest supported pytest.
"""

from __future__ import annotations

from collections.abc import Iterable
from inspect import signature, unwrap
from typing import Any

import pytest


def home_of(node: pytest.Collector | pytest.Item, name: str) -> str:
    """Return the module of the definition of fixture `name` that `node` would get; empty if there is none."""
    definitions = node.session._fixturemanager.getfixturedefs(name, node) or ()
    return str(definitions[-1].func.__module__) if definitions else ""


def homes_of(node: pytest.Collector | pytest.Item, name: str) -> list[str]:
    """Return the modules of all definitions of fixture `name`, also of those that others override."""
    return [str(one.func.__module__) for one in node.session._fixturemanager.getfixturedefs(name, node) or ()]


def closure_of(collector: pytest.Collector, function: Any) -> Iterable[str]:
    """Return the names of all fixtures that a test function would use, directly or not."""
    cls = getattr(collector, "cls", None)
    return collector.session._fixturemanager.getfixtureinfo(collector, function, cls).name2fixturedefs  # type: ignore[arg-type]  # a collector serves


def function_scoped(item: pytest.Item) -> dict[str, str]:
    """Return the function-scoped fixtures that a test function names, and the module of each one's definition."""
    function = getattr(item, "function", None)
    found = {}
    for name in signature(function).parameters if function is not None else ():
        definitions = item.session._fixturemanager.getfixturedefs(name, item) or ()
        if definitions and definitions[-1].scope == "function":
            found[name] = str(definitions[-1].func.__module__)
    return found


def is_property(item: pytest.Item) -> bool:
    """Tell whether hypothesis runs a test's function, many times."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def code_of_test(function: Any) -> Any:
    """Return the code of a test; of a property, of the function under its `@given`, whoever has wrapped it since."""
    if (handle := getattr(function, "hypothesis", None)) is not None:
        function = unwrap(handle.inner_test)
    return getattr(function, "__code__", None)
