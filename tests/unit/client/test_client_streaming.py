"""Laws of streamed responses: the application waits for its reader, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from harness.client.blocking import Client
from harness.client.concurrent import async_client
from harness.client.driver import Driver
from harness.client.transport import Receive, Scope, Send


@pytest.fixture
def log() -> list[str]:
    """What the application did."""
    return []


@pytest.fixture
def app(log: list[str]) -> FastAPI:
    """An application that streams."""
    app = FastAPI()

    class Logged(StreamingResponse):
        """Tells when the application is done; its generator's own end is the garbage collector's affair."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await super().__call__(scope, receive, send)
            finally:
                log.append("ended")

    async def numbers(count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            log.append(f"sending {number}")
            yield f"{number}\n".encode()

    @app.get("/numbers/{count}")
    async def stream(count: int) -> StreamingResponse:
        return Logged(numbers(count), background=BackgroundTask(log.append, "background"))

    class Broken(StreamingResponse):
        """Fails outside a task group, which would make a group of the exception in some versions of Starlette."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            raise LookupError("told")

    @app.get("/broken")
    async def broken() -> StreamingResponse:
        return Broken(numbers(0))

    return app


def test_a_stream_is_read_line_by_line(app: FastAPI, driver: Driver) -> None:
    """``client.stream`` gives the parts in order."""
    with Client(app, driver=driver) as client, client.stream("GET", "/numbers/3") as response:
        assert list(response.iter_lines()) == ["0", "1", "2"]


def test_the_app_waits_for_the_reader(app: FastAPI, driver: Driver, log: list[str]) -> None:
    """The application does not run ahead of the test by more than one part."""
    with Client(app, driver=driver) as client, client.stream("GET", "/numbers/1000000") as response:
        assert next(response.iter_lines()) == "0"
        assert len(log) <= 3


def test_leaving_a_stream_ends_the_app(app: FastAPI, driver: Driver, log: list[str]) -> None:
    """An endless answer that is not read to its end is cancelled."""
    with Client(app, driver=driver) as client, client.stream("GET", "/numbers/1000000") as response:
        next(response.iter_lines())
    assert log[-1] == "ended"


def test_a_stream_that_was_read_runs_its_background_tasks(app: FastAPI, driver: Driver, log: list[str]) -> None:
    """At the end of the block the background tasks have finished."""
    with Client(app, driver=driver) as client, client.stream("GET", "/numbers/1") as response:
        response.read()
        assert log == ["sending 0", "background", "ended"]


def test_get_reads_a_stream_whole(app: FastAPI, driver: Driver, log: list[str]) -> None:
    """``get`` of a streaming endpoint returns all parts, and the background tasks have finished."""
    with Client(app, driver=driver) as client:
        assert client.get("/numbers/3").text == "0\n1\n2\n"
        assert log[-2:] == ["background", "ended"]


def test_an_error_in_the_stream_is_raised(app: FastAPI, driver: Driver) -> None:
    """What the application raises after the first part arrives where the stream is read."""
    with (
        Client(app, driver=driver) as client,
        pytest.raises(LookupError, match="told"),
        client.stream("GET", "/broken") as response,
    ):
        response.read()


def test_an_error_before_the_stream_is_raised(driver: Driver) -> None:
    """What the application raises before it answers arrives at ``stream``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("told")

    with pytest.raises(LookupError, match="told"), Client(app, driver=driver).stream("GET", "/"):
        pass


def test_closing_the_client_ends_open_streams(app: FastAPI, driver: Driver, log: list[str]) -> None:
    """A stream that was never closed does not outlive the client."""
    with Client(app, driver=driver) as client:
        request = client.build_request("GET", "http://testserver/numbers/1000000")
        client.send(request, stream=True)
    assert log[-1] == "ended"


def test_two_streams_may_be_read_in_turn(app: FastAPI, driver: Driver) -> None:
    """Streams of one client do not disturb each other."""
    with (
        Client(app, driver=driver) as client,
        client.stream("GET", "/numbers/2") as first,
        client.stream("GET", "/numbers/2") as second,
    ):
        pairs = list(zip(first.iter_lines(), second.iter_lines(), strict=True))
    assert pairs == [("0", "0"), ("1", "1")]


def test_trailers_are_in_the_extensions(driver: Driver) -> None:
    """Trailers sent by the application are kept, buffered or streamed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        await send({"type": "http.response.trailers", "headers": [(b"a", b"b")]})

    client = Client(app, driver=driver)
    assert client.get("/").extensions["http.response.trailers"] == [(b"a", b"b")]
    with client.stream("GET", "/") as response:
        response.read()
        assert response.extensions["http.response.trailers"] == [(b"a", b"b")]


@pytest.mark.asyncio
async def test_the_async_client_streams(app: FastAPI, log: list[str]) -> None:
    """Unlike httpx's own ASGI transport, the async client can read an endless answer."""
    async with async_client(app) as client, client.stream("GET", "/numbers/1000000") as response:
        async for line in response.aiter_lines():
            assert line == "0"
            break
        assert len(log) <= 3
    assert log[-1] == "ended"


@pytest.mark.asyncio
async def test_the_async_client_reads_a_stream_whole(app: FastAPI, log: list[str]) -> None:
    """To the end, background tasks included."""
    async with async_client(app) as client, client.stream("GET", "/numbers/3") as response:
        assert [line async for line in response.aiter_lines()] == ["0", "1", "2"]
        assert log[-2:] == ["background", "ended"]


@pytest.mark.asyncio
async def test_the_async_client_raises_an_error_in_the_stream(app: FastAPI) -> None:
    """What the application raises after the first part arrives where the stream is read."""
    async with async_client(app) as client:
        with pytest.raises(LookupError, match="told"):
            async with client.stream("GET", "/broken") as response:
                await response.aread()


@pytest.mark.asyncio
async def test_closing_the_async_client_ends_open_streams(app: FastAPI, log: list[str]) -> None:
    """A stream that was never closed leaves no task behind."""
    before = asyncio.all_tasks()
    client = async_client(app)
    await client.send(client.build_request("GET", "/numbers/1000000"), stream=True)
    await client.aclose()
    assert log[-1] == "ended"
    assert asyncio.all_tasks() == before
