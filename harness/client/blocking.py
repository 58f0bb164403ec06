"""Starlette's ``TestClient``, driven in the test's own thread."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import unquote

from harness.client.driver import Driver
from harness.client.exchange import Exchange, StreamedExchange
from harness.client.lifespan import Lifespan
from harness.client.portal import Portal
from harness.client.transport import ASGIApp, TestClient, Wrap, http_scope, httpx, is_buffered, set_buffered
from harness.errors import ClientError

if TYPE_CHECKING:
    from typing import Self

    from anyio.from_thread import BlockingPortal


class Client(TestClient):
    """A ``TestClient`` without a thread: same interface, same behaviour, a fraction of the time.

    Used without ``with``, the lifespan does not run, as with Starlette's; but all requests share one loop.

    Args:
        app: the application.
        driver: the loop to run it on.
        wrap: put around the application for requests, websockets and the lifespan; ``client.app`` stays as it was.
        base_url, raise_server_exceptions, root_path, cookies, headers, follow_redirects, client: as in ``TestClient``.
    """

    __test__ = False

    def __init__(
        self,
        app: Any,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: Any = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
        *,
        driver: Driver,
        wrap: Wrap | None = None,
    ) -> None:
        if backend != "asyncio" or backend_options:
            raise _wrong_backend(backend, backend_options)
        super().__init__(
            app,
            base_url=base_url,
            raise_server_exceptions=raise_server_exceptions,
            root_path=root_path,
            cookies=cookies,
            headers=headers,
            follow_redirects=follow_redirects,
        )
        self._driver = driver
        # self.app is an ASGI 3 application by now, also if an older one was given.
        asgi: ASGIApp = self.app
        self._wrapped: ASGIApp = asgi if wrap is None else wrap(asgi)
        self._depth = 0
        self._stack = ExitStack()
        self.left_behind: list[str] = []
        starlettes = cast("Any", self._transport)
        starlettes.app = self._wrapped
        # Set rather than passed: Starlette below 0.38 has no such argument.
        starlettes.client = client
        self._transport = Transport(
            self,
            self._wrapped,
            websockets=starlettes,
            raise_server_exceptions=raise_server_exceptions,
            root_path=root_path,
            address=client,
        )

    @contextmanager
    def _portal_factory(self) -> Generator[BlockingPortal, None, None]:
        """Give the open portal, or one for a single use; called by Starlette's websocket session as well."""
        if self.portal is not None:
            yield self.portal
            return
        portal = Portal(self._driver)
        try:
            yield cast("BlockingPortal", portal)
        finally:
            self.left_behind = portal.close()

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send a request; unless streamed, the application has come to its end when this returns."""
        if not stream:
            set_buffered(request)
        return super().send(request, stream=stream, **options)

    def __enter__(self) -> Self:
        """Run the application's startup. A client that is open already is only counted: a lifespan runs once."""
        if self._depth == 0:
            self._open()
        self._depth += 1
        return self

    def __exit__(self, *args: object) -> None:
        """Give open streams up, run the application's shutdown, and end the tasks that it left behind."""
        self._depth -= 1
        if self._depth == 0:
            self._stack.close()

    def _open(self) -> None:
        with ExitStack() as stack:
            portal = Portal(self._driver)
            self.portal = cast("BlockingPortal", portal)
            stack.callback(self._clean, portal)
            lifespan = Lifespan(self._wrapped, self.app_state, strict=True)
            # Also if startup fails, or is interrupted: its task must not stay behind.
            stack.callback(portal.call, lifespan.shutdown)
            portal.call(lifespan.startup)
            stack.callback(self._transport.close)
            self._stack = stack.pop_all()

    def _clean(self, portal: Portal) -> None:
        self.portal = None
        self.left_behind = portal.close()


class Transport(httpx.BaseTransport):
    """Carries an HTTP request to the application; leaves websockets to Starlette's own transport."""

    def __init__(
        self,
        client: Client,
        app: ASGIApp,
        *,
        websockets: httpx.BaseTransport,
        raise_server_exceptions: bool,
        root_path: str,
        address: tuple[str, int],
    ) -> None:
        self.app = app
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = address
        self._client = client
        self._websockets = websockets
        self._open: set[ResponseStream] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run the application for one request."""
        if request.url.scheme in ("ws", "wss"):
            return self._websockets.handle_request(request)
        scope = http_scope(
            request,
            # Once more than httpx did, because that is what Starlette's TestClient does.
            path=unquote(request.url.path),
            client=self.client,
            root_path=self.root_path,
            state=self._client.app_state,
        )
        body = request.read()
        return self._buffer(request, scope, body) if is_buffered(request) else self._stream(request, scope, body)

    def close(self) -> None:
        """Give up the streams that were not read to their end."""
        with ExitStack() as stack:
            for stream in list(self._open):
                stack.callback(stream.give_up)

    def _buffer(self, request: httpx.Request, scope: Any, body: bytes) -> httpx.Response:
        exchange = Exchange(self.app, scope, body)
        with self._client._portal_factory() as portal:
            try:
                portal.call(exchange.run)
            except Exception:
                if self.raise_server_exceptions:
                    raise
        self._check_answered(exchange)
        return exchange.response(request)

    def _stream(self, request: httpx.Request, scope: Any, body: bytes) -> httpx.Response:
        with ExitStack() as stack:
            portal = stack.enter_context(self._client._portal_factory())
            exchange = StreamedExchange(self.app, scope, body)
            stream = ResponseStream(self, portal, exchange, stack)
            stack.callback(self._open.discard, stream)
            stack.push(stream.finish)
            portal.call(exchange.open)
            if exchange.started:
                self._open.add(stream)
                stream.keep_open(stack.pop_all())
                return exchange.streamed_response(request, stream)
        self._check_answered(exchange)
        return exchange.response(request)

    def _check_answered(self, exchange: Exchange) -> None:
        if self.raise_server_exceptions and not exchange.started:
            raise AssertionError("TestClient did not receive any response.")


class ResponseStream(httpx.SyncByteStream):
    """The body of a streamed response: each part is asked for when it is read."""

    def __init__(self, transport: Transport, portal: Any, exchange: StreamedExchange, stack: ExitStack) -> None:
        self._transport = transport
        self._portal = portal
        self._exchange = exchange
        self._stack = stack

    def keep_open(self, stack: ExitStack) -> None:
        """Take over what must be done at the end."""
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        while (part := self._portal.call(self._exchange.next_part)) is not None:
            if part:
                yield part
        self.close()

    def close(self) -> None:
        """Wait for the application's end; it is cancelled if its answer was not read to the end."""
        self._stack.close()

    def give_up(self) -> None:
        """Cancel the application, whatever it still does."""
        self._portal.call(self._exchange.cancel)
        self.close()

    def finish(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the application and raise what it raised, unless something is being raised already."""
        error = self._portal.call(self._exchange.finish)
        if error is not None and kind is None and self._transport.raise_server_exceptions:
            raise error


def _wrong_backend(backend: str, options: dict[str, Any] | None) -> ClientError:
    if backend == "asyncio":
        return ClientError(
            "the client's event loop cannot be configured for one client",
            where=f"backend_options={options!r}",
            why="all clients of a test session share one loop, which is made by the current event loop policy",
            remedy="set the event loop policy before the first client is used",
        )
    return ClientError(
        f"the client cannot run on {backend}",
        where=f"backend={backend!r}",
        why="SQLAlchemy's asyncio extension and harness run on asyncio only",
        remedy='leave the backend out, or say backend="asyncio"',
    )
