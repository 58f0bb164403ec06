"""Which HTTP client library is present, and how its requests look to an ASGI application.

httpx and httpx2 have the same interface but different classes. Starlette chooses one of them for its ``TestClient``;
everything here uses the same one, so that ``isinstance`` checks in tests hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2 as httpx
    from starlette.testclient import TestClient
else:
    with warnings.catch_warnings():
        # Starlette warns at import when only httpx is there. That is for the user's own import to say, and with
        # `-W error` it would make harness unusable.
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient, httpx

__all__ = [
    "ASGIApp",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "TestClient",
    "Wrap",
    "http_scope",
    "httpx",
    "is_buffered",
    "set_buffered",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Wrap = Callable[[ASGIApp], ASGIApp]

_BUFFERED = "harness.buffered"
_PORTS = {"http": 80, "https": 443}


def http_scope(
    request: httpx.Request, *, path: str, client: tuple[str, int], root_path: str, state: dict[str, Any]
) -> Scope:
    """Build the ASGI scope of a request; ``state`` is what the lifespan yielded, copied as servers do."""
    url = request.url
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    if "host" not in request.headers:
        headers.insert(0, (b"host", url.netloc))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "path": path,
        "raw_path": url.raw_path.split(b"?", 1)[0],
        "root_path": root_path,
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": headers,
        "client": client,
        "server": [url.host, url.port or _PORTS.get(url.scheme)],
        "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
        "state": state.copy(),
    }


def set_buffered(request: httpx.Request) -> None:
    """Mark a request whose response will be read at once; a transport is not told otherwise."""
    request.extensions[_BUFFERED] = True


def is_buffered(request: httpx.Request) -> bool:
    """Tell whether the response will be read at once (redirected requests inherit the mark)."""
    return bool(request.extensions.get(_BUFFERED))
