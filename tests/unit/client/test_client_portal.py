"""Laws of the portal: it behaves as anyio's BlockingPortal, and answers for its tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.client.driver import Driver
from harness.client.portal import Portal
from harness.errors import ClientError


@pytest.fixture
def portal(driver: Driver) -> Portal:
    """A portal on the test's driver."""
    return Portal(driver)


async def _double(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


async def _sleep_forever() -> None:
    await asyncio.Event().wait()


def test_call_returns_what_a_coroutine_returns(portal: Portal) -> None:
    """Coroutine functions are awaited."""
    assert portal.call(_double, 2) == 4


def test_call_runs_a_plain_function_on_the_loop(portal: Portal) -> None:
    """Plain functions run inside the running loop."""
    assert portal.call(asyncio.get_running_loop) is portal.driver.loop


def test_call_raises_what_was_raised(portal: Portal) -> None:
    """Exceptions arrive as they are."""

    async def fail() -> None:
        raise LookupError("told")

    with pytest.raises(LookupError, match="told"):
        portal.call(fail)


def test_the_result_of_a_started_task_drives_the_loop(portal: Portal) -> None:
    """``result()`` of a task's future does not wait for somebody else to run the loop."""
    assert portal.start_task_soon(_double, 3).result() == 6


def test_the_exception_of_a_started_task_drives_the_loop(portal: Portal) -> None:
    """``exception()`` too."""
    assert portal.start_task_soon(_double, 3).exception() is None


def test_waiting_for_a_result_may_be_bounded(portal: Portal) -> None:
    """``result(timeout)`` raises TimeoutError, and the task goes on."""
    future = portal.start_task_soon(_sleep_forever)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        future.result(timeout=0.05)
    assert 0.04 < time.monotonic() - start < 30
    assert not future.done()
    portal.close()


def test_cancelling_a_future_cancels_its_task(portal: Portal) -> None:
    """A cancelled future means a cancelled task."""
    ended: list[str] = []

    async def work() -> None:
        try:
            await _sleep_forever()
        finally:
            ended.append("ended")

    future = portal.start_task_soon(work)
    portal.call(asyncio.sleep, 0)
    future.cancel()
    portal.call(asyncio.sleep, 0.01)
    assert ended == ["ended"]


def test_a_task_that_is_cancelled_cancels_its_future(portal: Portal) -> None:
    """A coroutine that ends in CancelledError is a cancelled call."""

    async def give_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledError):
        portal.call(give_up)


def test_start_task_waits_for_the_status(portal: Portal) -> None:
    """``start_task`` returns what the task reported, and its future."""

    async def work(value: int, *, task_status: Any) -> str:
        task_status.started(value)
        await asyncio.sleep(0)
        return "end"

    future, value = portal.start_task(work, 5)
    assert (value, future.result()) == (5, "end")


def test_start_task_raises_what_is_raised_before_the_status(portal: Portal) -> None:
    """A task that fails early fails its start."""

    async def work(*, task_status: Any) -> None:
        raise LookupError("early")

    with pytest.raises(LookupError, match="early"):
        portal.start_task(work)


def test_start_task_refuses_a_task_without_status(portal: Portal) -> None:
    """A task that ends without a status is an error."""

    async def work(*, task_status: Any) -> None:
        return None

    with pytest.raises(RuntimeError, match=r"task_status\.started"):
        portal.start_task(work)


def test_a_wrapped_context_manager_is_entered_and_left_in_one_task(portal: Portal) -> None:
    """What anyio's cancel scopes demand of context managers holds."""
    tasks: list[asyncio.Task[Any] | None] = []

    @asynccontextmanager
    async def manager() -> AsyncIterator[str]:
        tasks.append(asyncio.current_task())
        yield "value"
        tasks.append(asyncio.current_task())

    with portal.wrap_async_context_manager(manager()) as value:
        assert value == "value"
    assert len(tasks) == 2
    assert len(set(tasks)) == 1


def test_a_wrapped_context_manager_sees_the_exception(portal: Portal) -> None:
    """An exception in the block reaches the context manager, which may swallow it."""
    seen: list[BaseException] = []

    @asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        try:
            yield
        except LookupError as error:
            seen.append(error)

    with portal.wrap_async_context_manager(manager()):
        raise LookupError("told")
    assert [str(error) for error in seen] == ["told"]


def test_a_wrapped_context_manager_lets_exceptions_pass(portal: Portal) -> None:
    """An exception that is not swallowed goes on."""

    @asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        yield

    with pytest.raises(LookupError, match="told"), portal.wrap_async_context_manager(manager()):
        raise LookupError("told")


def test_close_ends_and_names_what_was_left_behind(portal: Portal) -> None:
    """Fire-and-forget tasks are cancelled, awaited and told, wherever they were created."""
    ended: list[str] = []

    async def forgotten() -> None:
        try:
            await _sleep_forever()
        finally:
            ended.append("ended")

    async def start() -> None:
        tasks.append(asyncio.create_task(forgotten()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    portal.call(start)
    told = portal.close()
    assert ended == ["ended"]
    assert len(told) == 1
    assert "forgotten" in told[0]
    assert "test_client_portal.py" in told[0]


def test_close_spares_the_tasks_of_another_portal(driver: Driver) -> None:
    """Two clients that are open at once do not end each other's tasks."""

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(_sleep_forever())

    first, second = Portal(driver), Portal(driver)
    task = first.call(start)
    second.call(start)
    second.close()
    assert not task.done()
    first.close()
    assert task.cancelled()


def test_close_ends_tasks_that_start_tasks_while_ending(portal: Portal) -> None:
    """Also what a task starts while it is cancelled is ended."""
    tasks: list[asyncio.Task[None]] = []

    async def parent() -> None:
        try:
            await _sleep_forever()
        finally:
            tasks.append(asyncio.create_task(_sleep_forever()))

    async def start() -> None:
        tasks.append(asyncio.create_task(parent()))
        await asyncio.sleep(0)

    portal.call(start)
    portal.close()
    assert [task.done() for task in tasks] == [True, True]


def test_close_is_bounded(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that does not let itself be cancelled is named in an error."""
    monkeypatch.setattr("harness.client.portal.LEFTOVER_TIMEOUT", 0.1)
    stop = asyncio.Event()

    async def stubborn() -> None:
        while not stop.is_set():
            try:
                await stop.wait()
            except asyncio.CancelledError:
                continue

    async def start() -> None:
        tasks.append(asyncio.create_task(stubborn()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    portal.call(start)
    with pytest.raises(ClientError) as error:
        portal.close()
    assert "stubborn" in str(error.value)
    portal.call(stop.set)
    portal.call(asyncio.sleep, 0)
