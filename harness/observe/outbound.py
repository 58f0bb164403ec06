"""Calls to other services, by the libraries that applications make them with."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.callsite import current_place
from harness.clock import now
from harness.observe.incidents import ExternalCall
from harness.observe.recorder import CURRENT, Recorder


@dataclass(frozen=True, slots=True)
class Library:
    """Where a library makes its calls: `module.owner.method`, and what it is told about the target."""

    name: str
    module: str
    owner: str
    method: str
    target: Callable[[tuple[Any, ...], dict[str, Any]], str | None]


def _http(args: tuple[Any, ...], given: dict[str, Any]) -> str | None:
    """Of `Client.send(request)`. In-process transports, such as an application's own, are not another service."""
    client, request = args[0], args[1] if len(args) > 1 else given.get("request")
    transport = type(getattr(client, "_transport", None)).__name__
    if "ASGI" in transport or "WSGI" in transport or "TestClient" in transport or request is None:
        return None
    return _address(request.method, str(request.url))


def _method_and_url(args: tuple[Any, ...], given: dict[str, Any]) -> str | None:
    """Of `ClientSession._request(method, url)`."""
    values = [*args[1:3], given.get("method"), given.get("url", given.get("str_or_url"))]
    method, url = [value for value in values if value is not None][:2]
    return _address(str(method), str(url))


def _mail(args: tuple[Any, ...], given: dict[str, Any]) -> str | None:
    return f"SMTP {getattr(args[0], '_host', '') or ''}".rstrip()


def _service(args: tuple[Any, ...], given: dict[str, Any]) -> str | None:
    """Of botocore's `BaseClient._make_api_call(operation, parameters)`."""
    return f"{args[0].meta.service_model.service_name} {args[1]}"


def _opened(args: tuple[Any, ...], given: dict[str, Any]) -> str | None:
    """Of `OpenerDirector.open(url_or_request)`."""
    target = args[1] if len(args) > 1 else given.get("fullurl")
    url = str(getattr(target, "full_url", target))
    return None if url.startswith(("file:", "data:")) else _address(getattr(target, "method", None) or "GET", url)


LIBRARIES = (
    Library("httpx", "httpx", "Client", "send", _http),
    Library("httpx", "httpx", "AsyncClient", "send", _http),
    Library("httpx2", "httpx2", "Client", "send", _http),
    Library("httpx2", "httpx2", "AsyncClient", "send", _http),
    Library("requests", "requests", "Session", "send", _http),
    Library("aiohttp", "aiohttp", "ClientSession", "_request", _method_and_url),
    Library("smtplib", "smtplib", "SMTP", "sendmail", _mail),
    Library("aiosmtplib", "aiosmtplib", "SMTP", "sendmail", _mail),
    Library("botocore", "botocore.client", "BaseClient", "_make_api_call", _service),
    Library("urllib", "urllib.request", "OpenerDirector", "open", _opened),
)
_waiting = list(LIBRARIES)
_replaced: dict[Library, Any] = {}


def watch(recorder: Recorder) -> None:
    """Watch the libraries that have been imported by now."""
    for library in [library for library in _waiting if library.module in sys.modules]:
        owner = getattr(sys.modules[library.module], library.owner, None)
        original = getattr(owner, library.method, None)
        if owner is not None and original is not None:
            _waiting.remove(library)
            _replaced[library] = original
            setattr(owner, library.method, _telling(library, original, recorder))


@contextmanager
def restored() -> Iterator[None]:
    """Give the libraries their own methods back at the end."""
    try:
        yield
    finally:
        for library, original in _replaced.items():
            setattr(getattr(sys.modules[library.module], library.owner), library.method, original)
        _replaced.clear()
        _waiting[:] = LIBRARIES


def _telling(library: Library, original: Any, recorder: Recorder) -> Any:
    note = recorder.guarded(lambda args, given: _note(library, args, given))
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def call(*args: Any, **given: Any) -> Any:
            note(args, given)
            return await original(*args, **given)

        return call

    @functools.wraps(original)
    def call_now(*args: Any, **given: Any) -> Any:
        note(args, given)
        return original(*args, **given)

    return call_now


def _note(library: Library, args: tuple[Any, ...], given: dict[str, Any]) -> None:
    request = CURRENT.get()
    if request is None or request.ended is not None:
        return
    target = library.target(args, given)
    if target is None:
        return
    held = tuple(checkout for checkout in request.checkouts if checkout.returned is None and checkout.statements)
    request.calls.append(ExternalCall(library.name, target, now(), current_place(), request, request.phase, held))


def _address(method: str, url: str) -> str:
    """Return method, scheme and host: paths and queries may hold secrets."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{method} {parts.scheme}://{parts.hostname or ''}{port}"
