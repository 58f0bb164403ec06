"""The driver that the client's unit tests share, and the two kinds of client that must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from harness.client.blocking import Client
from harness.client.driver import Driver

MakeClient = Callable[..., TestClient]


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A driver of its own for each test, closed at its end."""
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture(params=["starlette", "harness"])
def make_client(request: pytest.FixtureRequest, driver: Driver) -> MakeClient:
    """Make a client: once Starlette's, as the reference, and once harness's."""

    def make(app: Any, **options: Any) -> TestClient:
        if request.param == "starlette":
            return TestClient(app, **options)
        return Client(app, driver=driver, **options)

    return make
