"""Walk an application's routes, and its mounted applications', down every tree of dependencies.

FastAPI keeps two shapes of routes. Up to 0.137 including a router copies its routes; since 0.138 it keeps the router,
and `fastapi.routing.iter_route_contexts` tells what each route amounts to. The rest of harness sees only `Use`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WRAPPED = ("app", "other_asgi_app")  # by middleware and starlette's Mount; by python-socketio
_HOPS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One dependency at one place.

    Args:
        owner: the application whose ``dependency_overrides`` govern this place.
        call: the dependency.
        consumer: the endpoint or dependency that asks for it.
        parameter: the parameter of the consumer that receives it; None for ``dependencies=[Depends(...)]``.
        route: method and path, such as ``GET /authors``.
        inner: the dependencies that it asks for itself.
    """

    owner: Any
    call: Callable[..., Any]
    consumer: Callable[..., Any] | None
    parameter: str | None
    route: str
    inner: tuple[Use, ...]

    def all(self) -> Iterator[Use]:
        """Yield this use and all below it, outermost first."""
        yield self
        for use in self.inner:
            yield from use.all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One route as the application declares it, whatever its tests override.

    Args:
        owner: the application whose ``dependency_overrides`` govern it; None where nothing can be overridden.
        dependant: FastAPI's tree of what its endpoint asks for.
        methods: such as ``GET``, or ``GET,HEAD``; ``WS`` for a WebSocket.
        path: with those of the applications that it is mounted in.
    """

    owner: Any
    dependant: Any
    methods: str
    path: str

    def __str__(self) -> str:
        return f"{self.methods} {self.path}"


def iter_uses(app: object) -> Iterator[Use]:
    """Yield the dependencies of every route below an application, each with those it asks for itself."""
    for place in iter_places(app):
        if place.owner is not None:
            yield from _uses(place.dependant, place.owner, str(place), ())


def iter_places(app: object) -> Iterator[Place]:
    """Yield every route of FastAPI's below an application."""
    yield from _walk(app, prefix="", owner=None, seen=set())


def _walk(app: object, *, prefix: str, owner: object, seen: set[int]) -> Iterator[Place]:
    app = _unwrapped(app)
    if app is None or id(app) in seen:
        return
    seen.add(id(app))
    if hasattr(app, "dependency_overrides"):
        owner = app
    for route in _routes(app):
        path = f"{prefix}{getattr(route, 'path', None) or ''}"
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            yield from _walk(getattr(route, "app", None), prefix=path, owner=owner, seen=seen)
            continue
        # Without a provider, as for a router that is mounted, nothing can be overridden.
        provider = getattr(route, "dependency_overrides_provider", owner)
        yield Place(owner=provider, dependant=dependant, methods=_methods(route), path=path or "/")


def _unwrapped(app: object) -> Any:
    """Return the first thing with routes behind layers of middleware."""
    for _ in range(_HOPS):
        if app is None or hasattr(app, "routes"):
            return app
        app = next((inner for name in _WRAPPED if (inner := getattr(app, name, None)) is not None), None)
    return None


def _routes(app: Any) -> Iterable[Any]:
    try:
        from fastapi import routing  # an optional extra, and slow to import: only when there are routes to walk
    except ImportError as cause:
        raise MissingExtra("fastapi", "fastapi", "finding session dependencies") from cause
    flatten = getattr(routing, "iter_route_contexts", None)
    contexts: Iterable[Any] = flatten(app.routes) if flatten else app.routes
    return contexts


def _uses(dependant: Any, owner: Any, route: str, above: tuple[object, ...]) -> Iterator[Use]:
    for needed in dependant.dependencies:
        call = needed.call
        if call is None or call in above:  # an override may ask for what it replaces
            continue
        effective = _effective(needed, owner)
        yield Use(
            owner=owner,
            call=call,
            consumer=dependant.call,
            parameter=needed.name,
            route=route,
            inner=tuple(_uses(effective, owner, route, (*above, call))),
        )


def _effective(needed: Any, owner: Any) -> Any:
    """Return the dependant of the application's own override, when it has installed one."""
    override = getattr(owner, "dependency_overrides", {}).get(needed.call)
    if override is None:
        return needed
    from fastapi.dependencies.utils import get_dependant  # as FastAPI itself does on each request

    try:
        return get_dependant(path=needed.path or "/", call=override, name=needed.name)
    except Exception:  # noqa: BLE001 - FastAPI raises several kinds for a signature it cannot use; a request will tell
        return needed


def _methods(route: Any) -> str:
    methods = getattr(route, "methods", None)
    if methods:
        return ",".join(sorted(methods))
    return "WS" if "websocket" in type(getattr(route, "route", route)).__name__.lower() else "ANY"
