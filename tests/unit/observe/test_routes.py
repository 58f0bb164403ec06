"""By which path a request is told: as the application declares it, not as the client wrote it."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from harness.observe.recorder import Recorder


def test_a_route_is_told_with_the_prefixes_of_its_routers_and_mounts(recorder: Recorder) -> None:
    """FastAPI 0.138 and later do not copy an included route: it does not know its prefix itself."""
    inner, outer = APIRouter(), APIRouter()

    @inner.get("/books/{key}")
    def read_book(key: int) -> int:
        return key

    outer.include_router(inner, prefix="/users/{user}")
    app, mounted = FastAPI(), FastAPI()
    for one in (app, mounted):
        one.include_router(outer, prefix="/v1")
    app.mount("/shop", mounted)
    client = TestClient(app)
    assert [200, 200] == [client.get(path).status_code for path in ("/v1/users/3/books/4", "/shop/v1/users/3/books/4")]

    assert ["/v1/users/{user}/books/{key}", "/shop/v1/users/{user}/books/{key}"] == [
        request.route for request in recorder.tape.requests
    ]
