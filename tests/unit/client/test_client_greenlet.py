"""Law: inside a bridged sync test the application meets the rules of production."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from harness.client.driver import Driver
from harness.client.portal import Portal

greenlet: Any = pytest.importorskip("greenlet")


class Bridged(greenlet.greenlet):  # type: ignore[misc] # greenlet is untyped here
    """A greenlet in which SQLAlchemy lets sync code await, as harness's bridge makes them."""

    __sqlalchemy_greenlet_provider__ = True


def test_an_implicit_await_of_the_app_fails_in_a_bridged_test(driver: Driver) -> None:
    """A lazy load in a coroutine raises MissingGreenlet, although the test around it may load lazily."""
    from sqlalchemy.util import await_only

    async def nothing() -> None:
        return None

    async def endpoint() -> None:
        coroutine = nothing()
        try:
            await_only(coroutine)
        finally:
            coroutine.close()

    def test() -> None:
        with pytest.raises(sa.exc.MissingGreenlet):
            Portal(driver).call(endpoint)

    bridge = Bridged(test)
    bridge.switch()
    assert bridge.dead


def test_a_result_comes_back_into_a_bridged_test(driver: Driver) -> None:
    """A call from a bridged test returns there."""

    async def endpoint() -> int:
        return 7

    results: list[int] = []
    Bridged(lambda: results.append(Portal(driver).call(endpoint))).switch()
    assert results == [7]
