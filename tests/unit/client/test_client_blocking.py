"""Laws of the blocking client: what a test sees is what it sees with Starlette's TestClient.

Tests that take ``make_client`` run against both, so that a difference shows.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Cookie, FastAPI, File, Request, Response, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.testclient import TestClient

from harness.client.blocking import Client
from harness.client.driver import Driver
from harness.client.transport import ASGIApp, Receive, Scope, Send
from harness.errors import ClientError

MakeClient = Callable[..., TestClient]
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own; ``asyncio.run`` would change the thread's current loop as well."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    app.state.log.append("startup")
    yield {"pool": "the pool"}
    app.state.log.append("shutdown")


@pytest.fixture
def app() -> FastAPI:
    """An application with one endpoint per feature."""
    app = FastAPI(lifespan=lifespan)
    app.state.log = []
    _add_plain(app)
    _add_stateful(app)
    return app


def _add_plain(app: FastAPI) -> None:
    @app.get("/")
    async def root() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/sync")
    def sync() -> int:
        return threading.get_ident()

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type=request.headers.get("content-type"))

    @app.post("/upload")
    async def upload(file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        return {"name": file.filename, "size": len(await file.read())}

    @app.get("/boom")
    async def boom() -> None:
        raise LookupError("told")

    @app.get("/scope/{path:path}")
    async def scope(request: Request) -> dict[str, Any]:
        scope = dict(request.scope)
        names = ("type", "http_version", "method", "path", "root_path", "scheme", "client", "server")
        seen = {name: scope[name] for name in names}
        headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        return seen | {"query": scope["query_string"].decode(), "headers": headers}


def _add_stateful(app: FastAPI) -> None:
    @app.get("/login")
    async def login() -> Response:
        response = RedirectResponse("/me", status_code=303)
        response.set_cookie("user", "ann")
        return response

    @app.get("/me")
    async def me(user: Annotated[str, Cookie()] = "nobody") -> str:
        return user

    @app.get("/state")
    async def state(request: Request) -> str:
        return str(request.state.pool)

    @app.get("/own-state")
    async def own_state(request: Request) -> bool:
        seen = hasattr(request.state, "seen")
        request.state.seen = True
        return seen

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        async def work() -> None:
            await asyncio.sleep(0.01)
            app.state.log.append("background")

        tasks.add_task(work)
        return "later"

    @app.get("/context")
    async def context() -> str:
        value = variable.get()
        variable.set("changed by the app")
        return value

    @app.get("/forget")
    async def forget() -> str:
        app.state.forgotten = asyncio.create_task(asyncio.sleep(60))
        return "forgotten"


def test_it_is_a_testclient(app: FastAPI, driver: Driver) -> None:
    """Tests that check for Starlette's class find it."""
    assert isinstance(Client(app, driver=driver), TestClient)


@pytest.mark.parametrize("path", ["/", "/me", "/scope/a%20b?x=1&y=%C3%A4", "/nowhere"])
def test_a_response_is_that_of_the_testclient(app: FastAPI, driver: Driver, path: str) -> None:
    """Status, headers and body are the same with both clients."""
    with TestClient(app) as reference, Client(app, driver=driver) as client:
        expected, got = reference.get(path), client.get(path)
    assert (got.status_code, got.json()) == (expected.status_code, expected.json())
    assert got.headers == expected.headers


def test_lifespan_state_reaches_requests(app: FastAPI, make_client: MakeClient) -> None:
    """What the lifespan yields is in ``request.state`` and in ``client.app_state``."""
    with make_client(app) as client:
        assert client.get("/state").json() == "the pool"
        assert client.app_state == {"pool": "the pool"}


def test_each_request_has_its_own_state(app: FastAPI, make_client: MakeClient) -> None:
    """What a request adds to its state is not seen by the next."""
    with make_client(app) as client:
        assert [client.get("/own-state").json() for _ in range(2)] == [False, False]


def test_background_tasks_have_finished(app: FastAPI, make_client: MakeClient) -> None:
    """``get`` returns after the background tasks."""
    with make_client(app) as client:
        client.get("/background")
        assert app.state.log == ["startup", "background"]


def test_an_error_of_the_app_is_raised(app: FastAPI, make_client: MakeClient) -> None:
    """By default the test sees the application's exception."""
    with make_client(app) as client, pytest.raises(LookupError, match="told"):
        client.get("/boom")


def test_an_error_of_the_app_may_be_answered(app: FastAPI, make_client: MakeClient) -> None:
    """With ``raise_server_exceptions=False`` it is a 500."""
    with make_client(app, raise_server_exceptions=False) as client:
        assert client.get("/boom").status_code == 500


def test_an_app_that_does_not_answer_is_an_error(make_client: MakeClient) -> None:
    """An application that ends silently fails the test, or gives an empty 500."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    with pytest.raises(AssertionError, match="did not receive any response"):
        make_client(app).get("/")
    assert make_client(app, raise_server_exceptions=False).get("/").status_code == 500


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body"}],
        [{"type": "http.response.start", "status": 200}] * 2,
        [{"type": "http.response.start", "status": 200}] + [{"type": "http.response.body"}] * 2,
    ],
)
def test_breaches_of_the_protocol_are_errors(make_client: MakeClient, messages: list[dict[str, Any]]) -> None:
    """Messages out of order fail the test."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(AssertionError, match=r"http\.response"):
        make_client(app).get("/")


def test_cookies_are_kept(app: FastAPI, make_client: MakeClient) -> None:
    """A cookie set by one response is sent with the next request."""
    with make_client(app) as client:
        client.get("/login")
        assert client.get("/me").json() == "ann"
        assert client.cookies["user"] == "ann"


def test_cookies_may_be_given(app: FastAPI, make_client: MakeClient) -> None:
    """Cookies passed to the client are sent."""
    with make_client(app, cookies={"user": "bob"}) as client:
        assert client.get("/me").json() == "bob"


def test_redirects_are_followed_by_default(app: FastAPI, make_client: MakeClient) -> None:
    """As with Starlette's client."""
    with make_client(app) as client:
        response = client.get("/login")
        assert (response.json(), len(response.history)) == ("ann", 1)


def test_redirects_may_be_left_alone(app: FastAPI, make_client: MakeClient) -> None:
    """``follow_redirects=False`` returns the redirect."""
    with make_client(app, follow_redirects=False) as client:
        assert client.get("/login").status_code == 303


def test_the_request_line_and_headers_arrive(app: FastAPI, driver: Driver) -> None:
    """Base URL, root path, client address and default headers are those that were asked for."""
    client = Client(
        app,
        base_url="https://api.test:8443",
        root_path="/v1",
        client=("10.0.0.1", 5),
        headers={"x-own": "yes"},
        driver=driver,
    )
    seen = client.get("/scope/x").json()
    assert (seen["scheme"], seen["server"], seen["client"]) == ("https", ["api.test", 8443], ["10.0.0.1", 5])
    assert seen["root_path"] == "/v1"
    assert ["x-own", "yes"] in seen["headers"]
    assert ["host", "api.test:8443"] in seen["headers"]
    assert ["user-agent", "testclient"] in seen["headers"]


@pytest.mark.parametrize("body", [{"content": b"raw"}, {"data": {"a": "b"}}, {"json": {"a": [1]}}])
def test_bodies_arrive(app: FastAPI, make_client: MakeClient, body: dict[str, Any]) -> None:
    """Raw, form and JSON bodies reach the endpoint whole."""
    with make_client(app) as client:
        response = client.post("/echo", **body)
        assert response.content == response.request.content


def test_a_generated_body_arrives(app: FastAPI, make_client: MakeClient) -> None:
    """A body given as an iterator is sent whole."""
    with make_client(app) as client:
        assert client.post("/echo", content=iter([b"a", b"b"])).content == b"ab"


def test_uploads_arrive(app: FastAPI, make_client: MakeClient) -> None:
    """A file sent as multipart reaches the endpoint."""
    with make_client(app) as client:
        response = client.post("/upload", files={"file": ("f.txt", b"12345")})
        assert response.json() == {"name": "f.txt", "size": 5}


def test_head_has_no_body(make_client: MakeClient) -> None:
    """What the application sends for HEAD is dropped, as by a server."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("body")(scope, receive, send)

    response = make_client(app).head("/")
    assert (response.content, response.headers["content-length"]) == (b"", "4")


def test_template_and_context_are_on_the_response(make_client: MakeClient) -> None:
    """``http.response.debug`` gives what template tests look at."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert "http.response.debug" in scope["extensions"]
        await send({"type": "http.response.debug", "info": {"template": "t", "context": {"a": 1}}})
        await PlainTextResponse("ok")(scope, receive, send)

    response: Any = make_client(app).get("/")
    assert (response.template, response.context) == ("t", {"a": 1})


def test_the_app_sees_the_context_of_the_test(app: FastAPI, make_client: MakeClient) -> None:
    """Context variables go in, and do not come out."""
    variable.set("set by the test")
    with make_client(app) as client:
        assert client.get("/context").json() == "set by the test"
    assert variable.get() == "set by the test"


def test_the_portal_runs_coroutines(app: FastAPI, make_client: MakeClient) -> None:
    """``client.portal`` is open within the block and gone after it."""
    with make_client(app) as client:
        assert client.portal is not None
        assert client.portal.call(asyncio.sleep, 0, "result") == "result"
    assert client.portal is None


def test_the_app_of_the_client_is_the_one_given(app: FastAPI, driver: Driver) -> None:
    """Overrides set on ``client.app`` work, also when something is wrapped around it."""
    client = Client(app, driver=driver, wrap=lambda inner: inner)
    assert client.app is app


def test_the_wrap_surrounds_requests_and_lifespan(app: FastAPI, driver: Driver) -> None:
    """Whatever reaches the application passes the wrap."""
    seen: list[str] = []

    def wrap(inner: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])
            await inner(scope, receive, send)

        return around

    @app.websocket("/ws")
    async def ws(websocket: Any) -> None: ...

    with Client(app, driver=driver, wrap=wrap) as client:
        client.get("/")
        with pytest.raises(Exception), client.websocket_connect("/nowhere"):  # noqa: B017,PT011 - refused is enough
            pass
    assert seen == ["lifespan", "http", "websocket"]


def test_sync_endpoints_share_a_worker_thread(app: FastAPI, driver: Driver) -> None:
    """No thread is started per request, nor per client."""
    threads = set()
    for _ in range(3):
        with Client(app, driver=driver) as client:
            threads |= {client.get("/sync").json() for _ in range(3)}
    assert len(threads) == 1


def test_a_client_starts_no_thread(app: FastAPI, driver: Driver) -> None:
    """Opening, using and closing a client on async endpoints leaves the thread count alone."""
    before = threading.active_count()
    with Client(app, driver=driver) as client:
        client.get("/")
        assert threading.active_count() == before


def test_module_level_resources_survive_from_client_to_client(driver: Driver) -> None:
    """An asyncio lock that was made in one test can be used in the next."""
    app = FastAPI()
    lock = asyncio.Lock()

    @app.get("/")
    async def root() -> str:
        async with lock:
            return "ok"

    for _ in range(2):
        with Client(app, driver=driver) as client:
            first = threading.Thread(target=client.get, args=("/",))
            first.start()
            assert client.get("/").json() == "ok"
            first.join()


def test_twelve_threads_may_use_one_client(app: FastAPI, make_client: MakeClient) -> None:
    """Requests from many threads are answered, each with its own."""
    wrong: list[Any] = []

    def work(number: int) -> None:
        for turn in range(10):
            body = f"{number}-{turn}".encode()
            if (got := client.post("/echo", content=body).content) != body:
                wrong.append((body, got))

    with make_client(app) as client:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert wrong == []


def test_forgotten_tasks_end_with_the_client(app: FastAPI, make_client: MakeClient) -> None:
    """A fire-and-forget task does not outlive the block."""
    with make_client(app) as client:
        client.get("/forget")
        assert not app.state.forgotten.done()
    assert app.state.forgotten.cancelled()


def test_forgotten_tasks_are_named(app: FastAPI, driver: Driver) -> None:
    """The client can tell what it had to end."""
    with Client(app, driver=driver) as client:
        client.get("/forget")
    assert [name.split(" ")[0] for name in client.left_behind] == ["sleep"]


def test_a_periodic_task_of_the_lifespan_goes_on(make_client: MakeClient) -> None:
    """What the lifespan started works while the test does something else."""
    ticked = threading.Event()

    @asynccontextmanager
    async def periodic(app: FastAPI) -> AsyncIterator[None]:
        async def tick() -> None:
            await asyncio.sleep(0.01)
            ticked.set()

        task = asyncio.create_task(tick())
        yield
        task.cancel()

    with make_client(FastAPI(lifespan=periodic)):
        assert ticked.wait(60)


def test_it_works_inside_an_async_test(app: FastAPI, make_client: MakeClient) -> None:
    """A sync client in a coroutine blocks its loop, as Starlette's does, and answers."""

    async def test() -> Any:
        with make_client(app) as client:
            return client.get("/").json()

    assert run(test()) == {"hello": "world"}


def test_an_endpoint_that_calls_the_client_is_told(driver: Driver) -> None:
    """A coroutine endpoint that uses the blocking client would deadlock, and is told so."""
    app = FastAPI()

    @app.get("/")
    async def root() -> str:
        client.get("/")
        return "never"

    with Client(app, driver=driver) as client, pytest.raises(ClientError, match="its own event loop"):
        client.get("/")


@pytest.mark.parametrize(
    ("options", "word"), [({"backend": "trio"}, "trio"), ({"backend_options": {"debug": True}}, "policy")]
)
def test_another_backend_is_refused(app: FastAPI, driver: Driver, options: dict[str, Any], word: str) -> None:
    """trio, or a loop with options of its own, is refused with the reason and the remedy."""
    with pytest.raises(ClientError) as error:
        Client(app, driver=driver, **options)
    assert word in str(error.value)
    assert error.value.remedy
