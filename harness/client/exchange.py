"""One request and its response, as an ASGI application sees them.

An :class:`Exchange` runs the application to its end and keeps what it sent. A :class:`StreamedExchange` hands over
each part of the body as it is sent, and the application waits until it is taken: ``client.stream()`` returns while
the application is still answering.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anyio

from harness.client.transport import ASGIApp, Message, Scope, httpx


class Exchange:
    """A request whose response is wanted whole.

    Args:
        app: the application.
        scope: what it is told about the request.
        body: the whole request body.
    """

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes) -> None:
        self.app = app
        self.scope = scope
        self.started = False
        self._request_body: bytes | None = body
        self._body_ended = False
        self._answered = asyncio.Event()
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._trailers: list[tuple[bytes, bytes]] | None = None
        self._debug: dict[str, Any] | None = None

    async def run(self) -> None:
        """Run the application to its end, background tasks included."""
        await self.app(self.scope, self.receive, self.send)

    async def receive(self) -> Message:
        """Give the application its request; then, once it has answered, tell it that the client went away."""
        body, self._request_body = self._request_body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take one part of the response."""
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            _require(self.started, 'Received "http.response.body" without "http.response.start".')
            _require(not self._answered.is_set(), 'Received "http.response.body" after response completed.')
            _require(not self._body_ended, 'Received "http.response.body" after body completed.')
            await self._take(bytes(message.get("body", b"")), more=message.get("more_body", False))
        elif kind == "http.response.trailers":
            self._trail(message)
        elif kind == "http.response.debug":
            self._debug = message["info"]

    def response(self, request: httpx.Request) -> httpx.Response:
        """Build the response, or the empty 500 that a server sends when an application sent none."""
        return self._response(request, httpx.ByteStream(b"".join(self._parts)))

    def _start(self, message: Message) -> None:
        _require(not self.started, 'Received multiple "http.response.start" messages.')
        self.started = True
        self._status = message["status"]
        self._headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
        if message.get("trailers", False):
            self._trailers = []

    async def _take(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] != "HEAD":
            self._parts.append(body)
        self._end_body(more=more)

    def _end_body(self, *, more: bool) -> None:
        self._body_ended = not more
        if self._body_ended and self._trailers is None:
            self._answered.set()

    def _trail(self, message: Message) -> None:
        _require(self._trailers is not None, 'Received "http.response.trailers" without declaring trailers.')
        _require(self._body_ended, 'Received "http.response.trailers" before body completed.')
        _require(not self._answered.is_set(), 'Received "http.response.trailers" after response completed.')
        if self._trailers is not None:
            self._trailers.extend(message.get("headers", []))
        if not message.get("more_trailers", False):
            self._answered.set()

    def _response(self, request: httpx.Request, stream: Any) -> httpx.Response:
        response = httpx.Response(self._status, headers=self._headers, stream=stream, request=request)
        if self._trailers is not None:
            response.extensions["http.response.trailers"] = self._trailers
        if self._debug is not None:
            response.extensions["http.response.debug"] = self._debug
            # Attributes that Starlette's TestClient sets for tests that look at the rendered template.
            for name in ("template", "context"):
                if name in self._debug:
                    setattr(response, name, self._debug[name])
        return response


class StreamedExchange(Exchange):
    """A request whose response is taken part by part."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes) -> None:
        super().__init__(app, scope, body)
        self._begun = asyncio.Event()
        # Without a buffer: the application cannot run ahead of the reader.
        self._give, self._given = anyio.create_memory_object_stream[tuple[bytes, bool]](0)
        self._cancel: anyio.CancelScope | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the application and wait until it begins to answer, or ends without."""
        # Made here, because anyio makes a scope only inside a running loop.
        self._cancel = anyio.CancelScope()
        self._task = asyncio.create_task(self._run_scoped(), name="harness-stream")
        await self._begun.wait()

    async def next_part(self) -> bytes | None:
        """Take the next part of the body; None at its end."""
        try:
            body, more = await self._given.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None
        self._end_body(more=more)
        return b"" if self.scope["method"] == "HEAD" else body

    async def finish(self) -> BaseException | None:
        """Wait for the application's end, and return its exception. An unread answer is given up."""
        if not self._answered.is_set():
            await self.cancel()
        self._given.close()
        if self._task is None:
            self._give.close()
            return None
        await asyncio.wait([self._task])
        return None if self._task.cancelled() else self._task.exception()

    async def cancel(self) -> None:
        """Cancel the application, also when its answer is complete and it works on in the background."""
        if self._cancel is not None:
            self._cancel.cancel()

    def streamed_response(self, request: httpx.Request, stream: Any) -> httpx.Response:
        """Build the response around a stream that takes the parts."""
        return self._response(request, stream)

    async def _run_scoped(self) -> None:
        try:
            with self._cancel or anyio.CancelScope(), self._give:
                await self.app(self.scope, self.receive, self.send)
        finally:
            self._begun.set()

    def _start(self, message: Message) -> None:
        super()._start(message)
        self._begun.set()

    async def _take(self, body: bytes, *, more: bool) -> None:
        await self._give.send((body, more))
        # Taken: what follows in the application must see the same state as the reader.
        self._body_ended = not more


def _require(holds: bool, message: str) -> None:
    """Refuse what breaks the ASGI protocol, with the exception that Starlette's TestClient raises."""
    if not holds:
        raise AssertionError(message)
