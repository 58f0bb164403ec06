"""Laws of the lifespan under the blocking client.

Tests that take ``make_client`` run against Starlette's client and harness's, so that a difference shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.testclient import TestClient

from harness.client.blocking import Client
from harness.client.driver import Driver
from harness.client.lifespan import Lifespan
from harness.client.transport import Receive, Scope, Send
from harness.errors import ClientError

MakeClient = Callable[..., TestClient]


@pytest.fixture
def app() -> FastAPI:
    """An application that tells when it starts and shuts down."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        app.state.log.append("startup")
        yield {"pool": "the pool"}
        app.state.log.append("shutdown")

    app = FastAPI(lifespan=lifespan)
    app.state.log = []

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"hello": "world"}

    return app


def test_the_lifespan_runs_around_the_block(app: FastAPI, make_client: MakeClient) -> None:
    """Startup at the entry, shutdown at the exit."""
    with make_client(app):
        assert app.state.log == ["startup"]
    assert app.state.log == ["startup", "shutdown"]


def test_without_a_block_the_lifespan_does_not_run(app: FastAPI, make_client: MakeClient) -> None:
    """A bare client does not start the application."""
    assert make_client(app).get("/").json() == {"hello": "world"}
    assert app.state.log == []


def test_a_client_may_be_entered_again(app: FastAPI, make_client: MakeClient) -> None:
    """Each block has a lifespan of its own."""
    client = make_client(app)
    for _ in range(2):
        with client:
            client.get("/")
    assert app.state.log == ["startup", "shutdown"] * 2


def test_an_open_client_may_be_entered_within(app: FastAPI, driver: Driver) -> None:
    """A block inside a block, as when a fixture has entered already, runs no second lifespan."""
    with Client(app, driver=driver) as client:
        with client:
            client.get("/")
        assert app.state.log == ["startup"]
        assert client.get("/").json() == {"hello": "world"}
    assert app.state.log == ["startup", "shutdown"]


def test_an_error_in_startup_is_raised(make_client: MakeClient) -> None:
    """What the lifespan raises before its yield arrives at ``with``."""

    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        raise LookupError("told")
        yield

    with pytest.raises(LookupError, match="told"), make_client(FastAPI(lifespan=broken)):
        pass


def test_an_error_in_shutdown_is_raised(make_client: MakeClient) -> None:
    """What the lifespan raises after its yield arrives at the end of the block."""

    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise LookupError("told")

    with pytest.raises(LookupError, match="told"), make_client(FastAPI(lifespan=broken)):
        pass


def test_an_app_without_lifespan_fails_at_the_entry(make_client: MakeClient) -> None:
    """An application that raises on the lifespan scope raises at ``with``, and only there."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await PlainTextResponse("ok")(scope, receive, send)

    client = make_client(app)
    assert client.get("/").text == "ok"
    with pytest.raises(AssertionError), client:
        pass


def test_a_startup_reported_as_failed_is_an_error(driver: Driver) -> None:
    """``lifespan.startup.failed`` without an exception is an error that tells the application's reason."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(ClientError) as error, Client(app, driver=driver):
        pass
    assert "no database" in str(error.value)


def test_the_lifespan_is_entered_and_left_in_one_task(make_client: MakeClient) -> None:
    """A lifespan may hold an anyio task group."""
    import anyio

    @asynccontextmanager
    async def grouped(app: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)
            yield
            group.cancel_scope.cancel()

    with make_client(FastAPI(lifespan=grouped)):
        pass


def test_a_shutdown_that_hangs_is_bounded(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lifespan that does not end is cancelled and told."""

    @asynccontextmanager
    async def hanging(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(60)

    monkeypatch.setattr(Lifespan.shutdown, "__defaults__", (0.05,))
    with pytest.raises(ClientError, match="did not shut down within"), Client(FastAPI(lifespan=hanging), driver=driver):
        pass
