"""Laws of the async client: it runs the application in the loop of its first request."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from fastapi import BackgroundTasks, FastAPI, Request

from harness.client.concurrent import async_client
from harness.client.transport import ASGIApp, Receive, Scope, Send, httpx
from harness.errors import ClientError

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
asyncio_test = pytest.mark.asyncio


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own; ``asyncio.run`` would change the thread's current loop as well."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


@pytest.fixture
def log() -> list[str]:
    """What the application did."""
    return []


@pytest.fixture
def app(log: list[str]) -> FastAPI:
    """An application with a lifespan that holds a task group."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with anyio.create_task_group() as group:
            log.append("startup")
            yield {"pool": "the pool"}
            await asyncio.sleep(0)
            log.append("shutdown")
            group.cancel_scope.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def root() -> str:
        return "hello"

    @app.get("/loop")
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    @app.get("/state")
    async def state(request: Request) -> list[Any]:
        seen = getattr(request.state, "seen", False)
        request.state.seen = True
        return [request.state.pool, seen]

    @app.get("/context")
    async def context() -> str:
        value = variable.get()
        variable.set("changed by the app")
        return value

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> None:
        tasks.add_task(asyncio.sleep, 0.01)
        tasks.add_task(log.append, "background")

    @app.get("/slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("slow ended")

    @app.get("/boom")
    async def boom() -> None:
        raise LookupError("told")

    return app


def test_it_is_an_httpx_async_client(app: FastAPI) -> None:
    """Of the family that Starlette's TestClient uses."""
    assert isinstance(async_client(app), httpx.AsyncClient)


@asyncio_test
async def test_the_app_runs_in_the_loop_of_the_test(app: FastAPI) -> None:
    """One loop for the test and the application."""
    async with async_client(app) as client:
        assert (await client.get("/loop")).json() == id(asyncio.get_running_loop())


@asyncio_test
async def test_the_first_request_starts_the_app(app: FastAPI, log: list[str]) -> None:
    """Without ``async with`` the lifespan starts with the first request, once."""
    client = async_client(app)
    assert log == []
    await client.get("/")
    await client.get("/")
    assert log == ["startup"]
    await client.aclose()
    assert log == ["startup", "shutdown"]


@asyncio_test
async def test_concurrent_first_requests_start_the_app_once(app: FastAPI, log: list[str]) -> None:
    """Requests that come together wait for the same startup."""
    async with asyncio.timeout(10):
        client = async_client(app)
        await asyncio.gather(*(client.get("/") for _ in range(5)))
        assert log == ["startup"]
        await client.aclose()


@asyncio_test
async def test_the_block_starts_and_ends_the_app(app: FastAPI, log: list[str]) -> None:
    """``async with`` runs the lifespan around the block."""
    async with async_client(app):
        assert log == ["startup"]
    assert log == ["startup", "shutdown"]


@asyncio_test
async def test_startup_and_shutdown_may_be_asked_for_by_different_tasks(app: FastAPI, log: list[str]) -> None:
    """As pytest plugins do for fixtures; a task group in the lifespan bears it."""
    client = async_client(app)
    await asyncio.create_task(client.get("/"))
    await asyncio.create_task(client.aclose())
    assert log == ["startup", "shutdown"]


@asyncio_test
async def test_an_error_in_startup_reaches_the_first_request() -> None:
    """The first request raises what the lifespan raised; the next ones say that the app did not start."""

    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        raise LookupError("told")
        yield

    client = async_client(FastAPI(lifespan=broken))
    with pytest.raises(LookupError, match="told"):
        await client.get("/")
    with pytest.raises(ClientError, match="did not start") as error:
        await client.get("/")
    assert isinstance(error.value.__cause__, LookupError)
    await client.aclose()


@asyncio_test
async def test_an_error_in_shutdown_is_raised() -> None:
    """``aclose`` raises what the lifespan raises after its yield."""

    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise LookupError("told")

    client = async_client(FastAPI(lifespan=broken))
    await client.get("/")
    with pytest.raises(LookupError, match="told"):
        await client.aclose()


@asyncio_test
async def test_a_shutdown_that_hangs_is_bounded() -> None:
    """It is cancelled, and told."""

    @asynccontextmanager
    async def hanging(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(60)

    before = asyncio.all_tasks()
    client = async_client(FastAPI(lifespan=hanging), shutdown_timeout=0.05)
    await client.get("/")
    with pytest.raises(ClientError, match=r"did not shut down within 0.05 s"):
        await client.aclose()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("raises", [True, False])
@asyncio_test
async def test_an_app_without_lifespan_is_served(raises: bool) -> None:
    """An application that raises on, or ignores, the lifespan scope is one without lifespan, as for a server."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if raises:
                raise NotImplementedError(scope["type"])
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with async_client(app) as client:
        assert (await client.get("/")).status_code == 204


@asyncio_test
async def test_lifespan_state_reaches_requests_as_a_copy(app: FastAPI) -> None:
    """Each request has its own copy of what the lifespan yielded."""
    async with async_client(app) as client:
        assert [(await client.get("/state")).json() for _ in range(2)] == [["the pool", False]] * 2


@asyncio_test
async def test_background_tasks_have_finished(app: FastAPI, log: list[str]) -> None:
    """``get`` returns after the background tasks."""
    async with async_client(app) as client:
        await client.get("/background")
        assert log == ["startup", "background"]


@asyncio_test
async def test_the_app_sees_the_context_of_the_test(app: FastAPI) -> None:
    """Context variables go in, and do not come out."""
    variable.set("set by the test")
    async with async_client(app) as client:
        assert (await client.get("/context")).json() == "set by the test"
    assert variable.get() == "set by the test"


@asyncio_test
async def test_an_error_of_the_app_is_raised(app: FastAPI) -> None:
    """By default the test sees the application's exception."""
    async with async_client(app) as client:
        with pytest.raises(LookupError, match="told"):
            await client.get("/boom")


@asyncio_test
async def test_an_error_of_the_app_may_be_answered(app: FastAPI) -> None:
    """With ``raise_app_exceptions=False`` it is a 500."""
    async with async_client(app, raise_app_exceptions=False) as client:
        assert (await client.get("/boom")).status_code == 500


@asyncio_test
async def test_an_app_that_does_not_answer_is_an_error() -> None:
    """An application that ends silently fails the test."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    async with async_client(app) as client:
        with pytest.raises(AssertionError, match="without sending a response"):
            await client.get("/")


@asyncio_test
async def test_a_timeout_leaves_no_task_behind(app: FastAPI, log: list[str]) -> None:
    """A request that is cancelled ends the application's work for it."""
    async with async_client(app) as client:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get("/slow")
        assert log[-1] == "slow ended"
        assert asyncio.all_tasks() == before


@asyncio_test
async def test_a_cancel_scope_leaves_no_task_behind(app: FastAPI, log: list[str]) -> None:
    """The same with anyio's cancel scopes."""
    async with async_client(app) as client:
        before = asyncio.all_tasks()
        with anyio.move_on_after(0.05) as scope:
            await client.get("/slow")
        assert (scope.cancelled_caught, log[-1]) == (True, "slow ended")
        assert asyncio.all_tasks() == before


@asyncio_test
async def test_a_cancelled_first_request_does_not_stop_the_startup() -> None:
    """The next request goes on waiting for the same startup."""
    starts: list[str] = []

    @asynccontextmanager
    async def slow(app: FastAPI) -> AsyncIterator[None]:
        starts.append("startup")
        await asyncio.sleep(0.1)
        yield

    client = async_client(FastAPI(lifespan=slow))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await client.get("/")
    assert (await client.get("/")).status_code == 404
    assert starts == ["startup"]
    await client.aclose()


@asyncio_test
async def test_closing_during_startup_cancels_it() -> None:
    """A startup that nobody waits for any more is cancelled and awaited."""
    log: list[str] = []

    @asynccontextmanager
    async def endless(app: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("cancelled")
        yield

    before = asyncio.all_tasks()
    client = async_client(FastAPI(lifespan=endless))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await client.get("/")
    await client.aclose()
    assert log == ["cancelled"]
    assert asyncio.all_tasks() == before


@asyncio_test
async def test_the_wrap_surrounds_requests_and_lifespan(app: FastAPI) -> None:
    """Whatever reaches the application passes the wrap."""
    seen: list[str] = []

    def wrap(inner: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])
            await inner(scope, receive, send)

        return around

    async with async_client(app, wrap=wrap) as client:
        await client.get("/")
    assert seen == ["lifespan", "http"]


@asyncio_test
async def test_httpx_options_are_passed_on(app: FastAPI) -> None:
    """Headers, cookies and whatever else httpx takes."""
    async with async_client(app, base_url="https://api.test/v1", headers={"x-own": "yes"}) as client:
        request = client.build_request("GET", "state")
    assert (str(request.url), request.headers["x-own"]) == ("https://api.test/v1/state", "yes")


@asyncio_test
async def test_a_closed_client_refuses_requests(app: FastAPI, log: list[str]) -> None:
    """As httpx does, and without starting the application."""
    client = async_client(app)
    await client.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await client.get("/")
    assert log == []


def test_a_second_loop_is_refused(app: FastAPI) -> None:
    """A request from another loop than the first one's is an error that speaks of loop scopes."""
    client = async_client(app)
    first = asyncio.new_event_loop()
    first.run_until_complete(client.get("/"))

    async def again() -> None:
        with pytest.raises(ClientError) as error:
            await client.get("/")
        assert "loop_scope" in str(error.value)

    run(again())
    client_closed = client.aclose()
    first.run_until_complete(client_closed)
    first.close()


def test_trio_is_refused(app: FastAPI) -> None:
    """On trio the error names asyncio and the remedy."""

    async def test() -> None:
        with pytest.raises(ClientError) as error:
            await async_client(app).get("/")
        assert "asyncio only" in str(error.value)
        assert "anyio_backend" in str(error.value)

    anyio.run(test, backend="trio")


def test_shutdown_of_an_unused_client_does_nothing(app: FastAPI, log: list[str]) -> None:
    """A fixture that no request used costs nothing at its end."""
    async_client(app).shutdown()
    assert log == []


def test_shutdown_runs_in_the_loop_of_the_client(app: FastAPI, log: list[str]) -> None:
    """A finalizer that is not a coroutine can close the client while its loop rests."""
    client = async_client(app)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.get("/"))
    client.shutdown()
    loop.close()
    assert log == ["startup", "shutdown"]


def test_shutdown_after_an_orderly_end_of_the_loop_is_fine(app: FastAPI, log: list[str]) -> None:
    """A loop that cancels its tasks before it closes, as pytest plugins do, lets the app shut down in order."""
    client = async_client(app)
    run(client.get("/"))
    assert log == ["startup", "shutdown"]
    client.shutdown()


def test_shutdown_after_a_rude_end_of_the_loop_is_told(app: FastAPI) -> None:
    """A loop that was simply closed leaves the lifespan open, and that is an error."""
    client = async_client(app)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.get("/"))
    tasks = asyncio.all_tasks(loop)
    loop.close()
    with pytest.raises(ClientError, match="before the application could shut down"):
        client.shutdown()
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # the test leaves them pending by intent


@asyncio_test
async def test_shutdown_inside_the_loop_is_refused(app: FastAPI) -> None:
    """From a coroutine the remedy is ``await client.aclose()``."""
    client = async_client(app)
    await client.get("/")
    with pytest.raises(ClientError) as error:
        client.shutdown()
    assert "await client.aclose()" in str(error.value)
    await client.aclose()
