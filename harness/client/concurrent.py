"""An httpx ``AsyncClient`` that runs the application in the test's own event loop.

The fixture that hands the client out is an ordinary one: it cannot know which loop the test will run in. So the client
binds itself to a loop with its first request, which is right under pytest-asyncio, with every loop scope, and under
anyio.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.client.exchange import Exchange, StreamedExchange
from harness.client.lifespan import SHUTDOWN_TIMEOUT, Lifespan
from harness.client.transport import ASGIApp, Scope, Wrap, http_scope, httpx, is_buffered, set_buffered
from harness.errors import ClientError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


def async_client(
    app: ASGIApp,
    *,
    base_url: str = "http://testserver",
    raise_app_exceptions: bool = True,
    wrap: Wrap | None = None,
    root_path: str = "",
    client: tuple[str, int] = ("testclient", 50000),
    shutdown_timeout: float = SHUTDOWN_TIMEOUT,
    **options: Any,
) -> AsyncClient:
    """Make a client for an application.

    Args:
        app: the application.
        base_url: what relative URLs are joined to.
        raise_app_exceptions: raise in the test what the application raises; otherwise answer 500.
        wrap: put around the application for requests and the lifespan.
        root_path: the ASGI root path.
        client: the address that the application sees.
        shutdown_timeout: seconds that the lifespan may take to shut down.
        **options: anything else that ``httpx.AsyncClient`` takes.
    """
    wrapped = app if wrap is None else wrap(app)
    transport = LoopTransport(wrapped, raise_app_exceptions=raise_app_exceptions, root_path=root_path, client=client)
    return AsyncClient(transport, shutdown_timeout=shutdown_timeout, base_url=base_url, **options)


class AsyncClient(httpx.AsyncClient):
    """An ``httpx.AsyncClient`` with the application's lifespan around its requests; see :func:`async_client`."""

    def __init__(self, transport: LoopTransport, *, shutdown_timeout: float, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self.app_state = transport.state
        self._lifespan = Lifespan(transport.app, transport.state, strict=False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shutdown_timeout = shutdown_timeout

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send a request, after the application's startup. Unless streamed, the application has ended then."""
        if not self.is_closed:
            await self._ready()
        if not stream:
            set_buffered(request)
        return await super().send(request, stream=stream, **options)

    async def aclose(self) -> None:
        """Give open streams up and run the application's shutdown.

        Raises:
            ClientError: when the shutdown takes too long, or this is not the loop of the first request.
        """
        if self._loop is not None and not self._lifespan.ended:
            self._check_loop()
        try:
            await super().aclose()
        finally:
            await self._lifespan.shutdown(self._shutdown_timeout)

    async def __aenter__(self) -> Self:
        """Run the application's startup."""
        await super().__aenter__()
        try:
            await self._ready()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Run the application's shutdown."""
        await self.aclose()

    def shutdown(self) -> None:
        """Close the client from code that is not in its loop, such as the finalizer of a fixture.

        Raises:
            ClientError: when the loop was closed before the application could shut down, or is running.
        """
        loop = self._loop
        if loop is None or (self.is_closed and self._lifespan.ended):
            return
        if loop.is_closed():
            if not self._lifespan.ended:
                raise _left_open()
        elif loop.is_running():
            raise ClientError(
                "the async client cannot be closed from sync code while its event loop is running",
                why="the loop would wait for itself",
                remedy="await client.aclose()",
            )
        else:
            loop.run_until_complete(self.aclose())

    def renew(self) -> None:
        """Begin anew in the loop of the next request, if the loop so far is closed and the application has shut down.

        anyio makes a loop for each example of a property.
        """
        if self._loop is not None and self._loop.is_closed() and self._lifespan.ended:
            self._loop = None
            self._lifespan = self._lifespan.again()

    async def _ready(self) -> None:
        self._check_loop()
        await self._lifespan.startup()

    def _check_loop(self) -> None:
        """Bind to the running loop, or refuse any other than the bound one."""
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            raise _not_asyncio() from None
        if self._loop is None:
            self._loop = running
        elif self._loop is not running:
            raise _other_loop()


class LoopTransport(httpx.AsyncBaseTransport):
    """Carries a request to the application, in a task of its own as in a server."""

    def __init__(self, app: ASGIApp, *, raise_app_exceptions: bool, root_path: str, client: tuple[str, int]) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self.root_path = root_path
        self.client = client
        self.state: dict[str, Any] = {}
        self._open: set[AsyncResponseStream] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Run the application for one request."""
        scope = http_scope(
            request, path=request.url.path, client=self.client, root_path=self.root_path, state=self.state
        )
        body = await request.aread()
        if is_buffered(request):
            return await self._buffer(request, scope, body)
        return await self._stream(request, scope, body)

    async def aclose(self) -> None:
        """Give up the streams that were not read to their end."""
        for stream in list(self._open):
            with suppress(Exception):
                await stream.give_up()

    async def _buffer(self, request: httpx.Request, scope: Scope, body: bytes) -> httpx.Response:
        exchange = Exchange(self.app, scope, body)
        try:
            # A task of its own, so that context variables set by the application do not leak into the test. If the
            # test is cancelled, asyncio passes that on to the task and waits for it.
            await asyncio.create_task(exchange.run(), name="harness-request")
        except Exception:
            if self.raise_app_exceptions:
                raise
        self._check_answered(exchange)
        return exchange.response(request)

    async def _stream(self, request: httpx.Request, scope: Scope, body: bytes) -> httpx.Response:
        exchange = StreamedExchange(self.app, scope, body)
        stream = AsyncResponseStream(self, exchange)
        self._open.add(stream)
        try:
            await exchange.open()
        except BaseException:
            await stream.give_up(quiet=True)
            raise
        if exchange.started:
            return exchange.streamed_response(request, stream)
        await stream.aclose()
        self._check_answered(exchange)
        return exchange.response(request)

    def discard(self, stream: AsyncResponseStream) -> bool:
        """Forget a stream that is being closed; tell whether it was open."""
        if stream not in self._open:
            return False
        self._open.discard(stream)
        return True

    def _check_answered(self, exchange: Exchange) -> None:
        if self.raise_app_exceptions and not exchange.started:
            raise AssertionError("the application ended without sending a response")


class AsyncResponseStream(httpx.AsyncByteStream):
    """The body of a streamed response: each part is asked for when it is read."""

    def __init__(self, transport: LoopTransport, exchange: StreamedExchange) -> None:
        self._transport = transport
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._exchange.next_part()) is not None:
            if part:
                yield part
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for the application's end; it is cancelled if its answer was not read to the end."""
        if not self._transport.discard(self):
            return
        error = await self._exchange.finish()
        if error is not None and self._transport.raise_app_exceptions:
            raise error

    async def give_up(self, *, quiet: bool = False) -> None:
        """Cancel the application, whatever it still does."""
        await self._exchange.cancel()
        if quiet:
            self._transport.discard(self)
            await self._exchange.finish()
        else:
            await self.aclose()


def _not_asyncio() -> ClientError:
    return ClientError(
        "the async client needs a running asyncio event loop, and there is none",
        where="this test runs on trio, or outside any event loop",
        why="SQLAlchemy's asyncio extension and harness run on asyncio only; "
        "anyio's pytest plugin runs each test on trio as well where trio is installed",
        remedy='run the test on asyncio: a fixture `anyio_backend` that returns "asyncio",\n'
        'or @pytest.mark.parametrize("anyio_backend", ["asyncio"])',
    )


def _other_loop() -> ClientError:
    return ClientError(
        "the async client was used in a second event loop",
        where="it belongs to the loop of its first request, in which the application was started",
        why="connections, locks and tasks of the application work in the loop that made them only",
        remedy="let the client and everything that uses it share one loop:\n"
        '@pytest.mark.asyncio(loop_scope="...") on the tests and\n'
        '@pytest_asyncio.fixture(loop_scope="...") on the fixtures, with the same scope,\n'
        "or ask for a client of its own in each of them",
    )


def _left_open() -> ClientError:
    return ClientError(
        "the event loop of the async client was closed before the application could shut down",
        where="the application's lifespan is still waiting at its `yield`",
        why="what it holds (connections, tasks, files) was not released, and cannot be without its loop",
        remedy="close the client in the test, `async with client:` or `await client.aclose()`,\n"
        "or use a loop scope at least as wide as the scope of the client's fixture",
    )
