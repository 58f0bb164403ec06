"""Load the application under test from its reference: an ASGI application, or a factory that builds one.

FastAPI is not imported here. Whatever can be called with ``(scope, receive, send)`` is an application, so one wrapped
in middleware is one as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any, TypeAlias

from harness.errors import AppError
from harness.session.callables import signature
from harness.session.discover import discover_app
from harness.session.reference import Origin, resolve, told, user_line

__all__ = ["ASGIApp", "discover_app", "is_asgi_app", "load_app"]

ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


def load_app(spec: str) -> ASGIApp:
    """Import and, if it is a factory, build the application named by ``pkg.module:app`` or ``pkg.module:create_app``.

    Raises:
        AppError: when the reference does not lead to an ASGI application; says why and what to write instead.
    """
    found = resolve(spec, _ORIGIN)
    if is_asgi_app(found):
        app: ASGIApp = found
        return app
    if not callable(found):
        raise _not_an_app(found, spec)
    return _build(found, spec)


def is_asgi_app(candidate: object) -> bool:
    """Tell whether an object is an ASGI 3 application: ``await candidate(scope, receive, send)``."""
    if inspect.isclass(candidate) or not callable(candidate):
        return False
    try:
        parameters = signature(candidate).parameters.values()
    except (TypeError, ValueError):
        return False
    required = [parameter for parameter in parameters if _is_required(parameter)]
    if len(required) != 3 or any(parameter.kind is parameter.KEYWORD_ONLY for parameter in required):
        return False
    call = candidate if inspect.isroutine(candidate) else type(candidate).__call__
    names = tuple(parameter.name for parameter in required)
    return names == ("scope", "receive", "send") or inspect.iscoroutinefunction(inspect.unwrap(call))


def _build(factory: Callable[..., object], spec: str) -> ASGIApp:
    needed = _required(factory)
    if needed:
        raise _factory_needs(needed, spec)
    try:
        built = factory()
    except Exception as cause:
        raise _factory_raised(cause, spec) from cause
    if inspect.iscoroutine(built):
        built.close()
        raise _factory_is_async(spec)
    if not is_asgi_app(built):
        raise _factory_built(built, spec)
    app: ASGIApp = built  # type: ignore[assignment]  # is_asgi_app has just said so
    return app


def _required(factory: Callable[..., object]) -> list[str]:
    try:
        parameters = signature(factory).parameters.values()
    except (TypeError, ValueError):  # some callables of C extensions have no signature: calling them will tell
        return []
    return [parameter.name for parameter in parameters if _is_required(parameter)]


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in (
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    )


def _apps_of(module: ModuleType) -> Sequence[str]:
    """Describe the applications that a module does have."""
    return [
        f"{name} (a {type(value).__name__})"
        for name, value in sorted(vars(module).items())
        if not inspect.isroutine(value) and is_asgi_app(value)
    ]


_ORIGIN = Origin(option="harness_app", example="shop.main:app", error=AppError, offers=_apps_of)


def _kind(value: object) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    return "None" if value is None else f"of type {type(value).__module__}.{type(value).__qualname__}"


def _not_an_app(found: object, spec: str) -> AppError:
    return AppError(
        f"{spec!r} is not an ASGI application; it is {_kind(found)}",
        where=_ORIGIN.where(spec),
        why="an application is called as app(scope, receive, send), and this cannot be called",
        remedy="name a FastAPI or Starlette application, or a function without arguments that returns one",
    )


def _factory_needs(needed: Sequence[str], spec: str) -> AppError:
    return AppError(
        f"the factory {spec!r} needs {'an argument' if len(needed) == 1 else 'arguments'}: {', '.join(needed)}",
        where=_ORIGIN.where(spec),
        why="harness calls a factory without arguments, and cannot know what to pass",
        remedy="give the parameters defaults, name a function that passes them,\n"
        "or override the fixture harness_app in conftest.py and build the application there",
    )


def _factory_raised(cause: BaseException, spec: str) -> AppError:
    return AppError(
        f"the factory {spec!r} raised {told(cause)}",
        where="\n".join(filter(None, (user_line(cause), _ORIGIN.where(spec)))),
        why="without an application there is nothing to test",
        remedy="if it reads its database URL from the environment, name the variable in harness_url_env\n"
        "(NAME=async where it wants an async driver),\n"
        "or override the fixture harness_app in conftest.py and build the application there",
    )


def _factory_is_async(spec: str) -> AppError:
    return AppError(
        f"the factory {spec!r} is asynchronous",
        where=_ORIGIN.where(spec),
        why="the application is built before any event loop runs; what it bound to another loop would break in a test",
        remedy="build the application in a plain function, and open resources in its lifespan",
    )


def _factory_built(built: object, spec: str) -> AppError:
    return AppError(
        f"the factory {spec!r} returned no ASGI application; what it returned is {_kind(built)}",
        where=_ORIGIN.where(spec),
        why="an application is called as app(scope, receive, send)",
        remedy="end the factory with: return app" if built is None else "return a FastAPI or Starlette application",
    )
