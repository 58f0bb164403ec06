"""Laws of websockets: Starlette's own session, on the driver's loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

MakeClient = Callable[..., TestClient]


@pytest.fixture
def app() -> FastAPI:
    """An application with websockets."""
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol=(websocket.scope["subprotocols"] or [None])[0])
        try:
            while True:
                await websocket.send_json({"got": await websocket.receive_text()})
        except WebSocketDisconnect as error:
            app.state.closed = error.code

    @app.websocket("/refuse")
    async def refuse(websocket: WebSocket) -> None:
        await websocket.close(code=4001)

    @app.websocket("/boom")
    async def boom(websocket: WebSocket) -> None:
        await websocket.accept()
        raise LookupError("told")

    @app.get("/")
    async def root() -> str:
        return "http"

    return app


def test_messages_go_both_ways(app: FastAPI, make_client: MakeClient) -> None:
    """What is sent arrives, and what is answered is received."""
    with make_client(app) as client, client.websocket_connect("/echo") as session:
        for text in ("a", "b"):
            session.send_text(text)
            assert session.receive_json() == {"got": text}


def test_a_websocket_works_without_a_block(app: FastAPI, make_client: MakeClient) -> None:
    """A bare client can connect."""
    with make_client(app).websocket_connect("/echo") as session:
        session.send_text("a")
        assert session.receive_json() == {"got": "a"}


def test_the_subprotocol_is_agreed(app: FastAPI, make_client: MakeClient) -> None:
    """The application's choice is on the session."""
    with make_client(app) as client, client.websocket_connect("/echo", subprotocols=["one", "two"]) as session:
        assert session.accepted_subprotocol == "one"


def test_the_app_sees_the_disconnect(app: FastAPI, make_client: MakeClient) -> None:
    """Closing the session reaches the application."""
    with make_client(app) as client, client.websocket_connect("/echo") as session:
        session.close(4002)
        session.send_text("ignored")
    assert app.state.closed in (1000, 4002)


def test_a_refused_connection_raises(app: FastAPI, make_client: MakeClient) -> None:
    """A close before the accept is told with its code."""
    with make_client(app) as client, pytest.raises(WebSocketDisconnect) as error, client.websocket_connect("/refuse"):
        pass
    assert error.value.code == 4001


def test_an_error_of_the_app_is_raised(app: FastAPI, make_client: MakeClient) -> None:
    """An exception in the endpoint arrives at the end of the session."""
    with make_client(app) as client, pytest.raises(LookupError, match="told"), client.websocket_connect("/boom"):
        pass


def test_a_request_may_be_sent_while_a_websocket_is_open(app: FastAPI, make_client: MakeClient) -> None:
    """An open session does not block other requests."""
    with make_client(app) as client, client.websocket_connect("/echo") as session:
        assert client.get("/").json() == "http"
        session.send_text("a")
        assert session.receive_json() == {"got": "a"}


def test_two_websockets_may_be_open(app: FastAPI, make_client: MakeClient) -> None:
    """Sessions of one client do not disturb each other."""
    with (
        make_client(app) as client,
        client.websocket_connect("/echo") as first,
        client.websocket_connect("/echo") as second,
    ):
        first.send_text("a")
        second.send_text("b")
        assert (second.receive_json(), first.receive_json()) == ({"got": "b"}, {"got": "a"})
