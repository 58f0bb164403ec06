"""The production dependency tree of an application: who asks for what, and which routes reach it.

FastAPI builds this tree when a route is declared, so what tests put into `dependency_overrides` later is not in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from harness.graph.facts import Route
from harness.session.callables import behind, module_of, name_of
from harness.session.routes import Place, iter_places

Key: TypeAlias = object


@dataclass(slots=True, kw_only=True)
class Asking:
    """One parameter, or list of dependencies, that asks for a dependency, and the routes on which it does."""

    consumer: Any
    parameter: str | None
    scope: str | None
    routes: dict[Route, None] = field(default_factory=dict)


@dataclass(slots=True)
class Node:
    """A dependency or an endpoint.

    Attributes:
        call: what FastAPI calls.
        asked: by whom it is asked for.
        asks: the dependency that each of its parameters receives.
        routes: those of an endpoint.
    """

    call: Any
    asked: dict[tuple[Key, str | None, str | None], Asking] = field(default_factory=dict)
    asks: dict[str, Any] = field(default_factory=dict)
    routes: dict[Route, None] = field(default_factory=dict)


@dataclass(slots=True)
class Tree:
    """All dependencies and endpoints of an application, in the order of its routes, and what tests replace now."""

    dependencies: dict[Key, Node] = field(default_factory=dict)
    endpoints: dict[Key, Node] = field(default_factory=dict)
    overridden: set[str] = field(default_factory=set)


def read_tree(app: object) -> Tree:
    """Return the tree of an application and of those mounted in it."""
    tree = Tree()
    owners: set[int] = set()
    for place in iter_places(app):
        _add_route(tree, place)
        if id(place.owner) not in owners:
            owners.add(id(place.owner))
            replaced = getattr(place.owner, "dependency_overrides", None)
            tree.overridden.update(dotted(call) for call in (replaced if isinstance(replaced, Mapping) else ()))
    return tree


def dotted(call: object, users: Iterable[object] = ()) -> str:
    """Return `module.function` of a callable; an instance has the name that the modules of its users know it by."""
    return name_of(call, [module_of(user) for user in users]).replace(":", ".")


def is_coroutine(call: object) -> bool:
    """Tell whether FastAPI runs a callable's body on the event loop, rather than in its threadpool."""
    found = behind(call)
    function = found.function if found and not isinstance(call, type) else None
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _add_route(tree: Tree, place: Place) -> None:
    endpoint = place.dependant.call
    route = Route(methods=tuple(place.methods.split(",")), path=place.path, threaded=not is_coroutine(endpoint))
    node = tree.endpoints.setdefault(_key(endpoint), Node(endpoint))
    node.routes[route] = None
    _add_needed(tree, place.dependant, node, route, ())


def _add_needed(tree: Tree, dependant: Any, consumer: Node, route: Route, above: tuple[Any, ...]) -> None:
    for needed in dependant.dependencies:
        call = needed.call
        if call is None or any(call is one for one in above):
            continue
        node = tree.dependencies.setdefault(_key(call), Node(call))
        scope = getattr(needed, "scope", None)
        asking = node.asked.setdefault(
            (_key(consumer.call), needed.name, scope),
            Asking(consumer=consumer.call, parameter=needed.name, scope=scope),
        )
        asking.routes[route] = None
        if needed.name:
            consumer.asks.setdefault(needed.name, call)
        _add_needed(tree, needed, node, route, (*above, call))


def _key(call: Any) -> Key:
    """Calls are told apart as FastAPI tells them apart: by equality, for methods of one instance are made anew."""
    try:
        hash(call)
    except TypeError:
        return id(call)
    return call
