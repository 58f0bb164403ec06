"""Laws of the driver: who runs the loop, when, and what is left afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import threading
import time
import warnings
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from typing import Any

import anyio
import anyio.to_thread
import pytest

from harness.client.driver import Driver
from harness.client.portal import Portal
from harness.errors import ClientError


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a loop of its own; ``asyncio.run`` would change the thread's current loop as well."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


async def _thread_id() -> int:
    return threading.get_ident()


def test_the_calling_thread_runs_the_loop(driver: Driver) -> None:
    """A call runs in the thread that makes it."""
    assert Portal(driver).call(_thread_id) == threading.get_ident()


def test_calls_start_no_thread(driver: Driver) -> None:
    """Threads before and after a call are the same."""
    before = threading.active_count()
    Portal(driver).call(_thread_id)
    assert threading.active_count() == before


def test_the_loop_outlives_a_portal(driver: Driver) -> None:
    """Two portals, one after the other, share one loop."""

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    first, second = Portal(driver), Portal(driver)
    loop_before = first.call(loop)
    first.close()
    assert second.call(loop) is loop_before


def test_the_loop_comes_from_the_policy(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is the one that ``asyncio.new_event_loop`` makes on the first use."""
    made: list[asyncio.AbstractEventLoop] = []
    original = asyncio.new_event_loop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", new_event_loop)
    assert made == []
    Portal(driver).call(_thread_id)
    assert made == [driver.loop]


def test_worker_threads_survive_between_calls(driver: Driver) -> None:
    """anyio's worker thread of one call serves the next."""

    async def worker() -> int:
        return await anyio.to_thread.run_sync(threading.get_ident)

    portal = Portal(driver)
    assert len({portal.call(worker) for _ in range(5)}) == 1


def test_a_worker_thread_started_in_a_child_task_survives(driver: Driver) -> None:
    """The same holds when the application made a task of its own for it."""

    async def worker() -> int:
        return await asyncio.create_task(anyio.to_thread.run_sync(threading.get_ident))

    portal = Portal(driver)
    assert len({portal.call(worker) for _ in range(5)}) == 1


def test_a_call_sees_the_context_of_its_caller(driver: Driver) -> None:
    """Context variables of the test are visible in the application."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("from the test")
    assert Portal(driver).call(variable.get) == "from the test"


def test_a_call_does_not_change_the_context_of_its_caller(driver: Driver) -> None:
    """Context variables set by the application stay there."""
    variable = contextvars.ContextVar("variable", default="unset")
    Portal(driver).call(variable.set, "from the app")
    assert variable.get() == "unset"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libraries that freeze the time for a test do to everybody's clocks."""
    for clock in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, clock, lambda: 1_000_000.0)


@pytest.mark.usefixtures("frozen")
def test_the_applications_timers_go_off_while_the_time_is_frozen(driver: Driver) -> None:
    """A request that sleeps for a moment is answered."""
    assert Portal(driver).call(asyncio.sleep, 0.01, "awake") == "awake"


@pytest.mark.usefixtures("frozen")
def test_waiting_runs_out_while_the_time_is_frozen(driver: Driver) -> None:
    """A result that never comes is given up in real time."""
    Portal(driver).call(_thread_id)
    with pytest.raises(TimeoutError):
        driver.wait(Future(), 0.05)


def test_calls_of_many_threads_overlap(driver: Driver) -> None:
    """Twelve threads that call at once are served by one loop, together."""
    together = 0

    async def meet() -> None:
        nonlocal together
        together += 1
        while together < 12:
            await asyncio.sleep(0.001)

    portal = Portal(driver)
    threads = [threading.Thread(target=portal.call, args=(meet,), daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_many_threads_get_their_own_results(driver: Driver) -> None:
    """Under many short calls from many threads each caller gets what it asked for."""
    portal = Portal(driver)
    wrong: list[tuple[int, int]] = []

    async def echo(value: int) -> int:
        await asyncio.sleep(0)
        return value

    def work(base: int) -> None:
        for value in range(base, base + 200):
            if (got := portal.call(echo, value)) != value:
                wrong.append((value, got))

    threads = [threading.Thread(target=work, args=(base * 1000,), daemon=True) for base in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (wrong, [thread for thread in threads if thread.is_alive()]) == ([], [])


def test_waiting_for_the_baton_does_not_spin(driver: Driver) -> None:
    """A thread that waits while another drives uses no processor time."""
    portal = Portal(driver)
    used: list[float] = []

    def follow() -> None:
        start = time.thread_time()
        portal.call(asyncio.sleep, 0.2)
        used.append(time.thread_time() - start)

    leader = threading.Thread(target=portal.call, args=(asyncio.sleep, 0.5))
    leader.start()
    time.sleep(0.05)
    follower = threading.Thread(target=follow)
    follower.start()
    follower.join()
    leader.join()
    assert used[0] < 0.05


def test_a_coroutine_on_the_loop_may_not_call(driver: Driver) -> None:
    """Calling from the private loop itself is told as the deadlock that it would be."""
    portal = Portal(driver)

    async def inside() -> None:
        portal.call(_thread_id)

    with pytest.raises(ClientError) as error:
        portal.call(inside)
    assert "deadlock" in str(error.value)
    assert "async client" in str(error.value)


def test_a_worker_thread_of_the_app_may_call(driver: Driver) -> None:
    """A sync endpoint may use the client: its thread follows the one that drives."""
    portal = Portal(driver)

    async def endpoint() -> int:
        return await anyio.to_thread.run_sync(portal.call, _thread_id)

    assert portal.call(endpoint) == threading.get_ident()


def test_a_call_inside_another_loop_runs_in_a_helper_thread(driver: Driver) -> None:
    """A sync client works in an async test, whose thread runs another loop."""

    async def test() -> int:
        return Portal(driver).call(_thread_id)

    assert run(test()) != threading.get_ident()


def test_an_exception_inside_another_loop_reaches_the_caller(driver: Driver) -> None:
    """Also through the helper thread an exception arrives as it was raised."""

    async def fail() -> None:
        raise LookupError("told")

    async def test() -> None:
        Portal(driver).call(fail)

    with pytest.raises(LookupError, match="told"):
        run(test())


def test_an_interrupt_propagates_promptly(driver: Driver) -> None:
    """Ctrl-C during a call raises KeyboardInterrupt at once."""
    portal = Portal(driver)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        portal.call(asyncio.sleep, 300)
    assert time.monotonic() - start < 30


def test_an_interrupted_call_leaves_the_loop_usable(driver: Driver) -> None:
    """After Ctrl-C the next call works, and the interrupted one has been cancelled."""
    portal = Portal(driver)
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(wait)
    portal.call(asyncio.sleep, 0.01)
    assert ended == ["cancelled"]


def test_a_task_that_cancels_all_tasks_leaves_the_loop_usable(driver: Driver) -> None:
    """An application that cancels every task of its loop cannot end the loop."""

    async def cancel_everything() -> None:
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    portal = Portal(driver)
    portal.call(cancel_everything)
    assert portal.call(_thread_id) == threading.get_ident()


def test_a_left_over_task_goes_on_without_a_call(driver: Driver) -> None:
    """What the application started in the background goes on while the test does something else."""
    done = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.set()

    async def start() -> None:
        tasks.append(asyncio.create_task(work()))

    tasks: list[asyncio.Task[None]] = []
    Portal(driver).call(start)
    assert done.wait(60)


def test_calls_take_the_loop_back_from_left_over_tasks(driver: Driver) -> None:
    """A call runs in the test's thread also while background tasks are pending."""

    async def start() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(30)))

    tasks: list[asyncio.Task[None]] = []
    portal = Portal(driver)
    portal.call(start)
    threads = set()
    for _ in range(20):
        time.sleep(0.005)
        threads.add(portal.call(_thread_id))
    portal.close()
    assert threads == {threading.get_ident()}


def test_close_leaves_no_thread(driver: Driver) -> None:
    """Workers and the keeper are gone after the end."""

    async def start() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(30)))
        await anyio.to_thread.run_sync(time.sleep, 0)
        await asyncio.to_thread(time.sleep, 0)

    tasks: list[asyncio.Task[None]] = []
    before = set(threading.enumerate())
    Portal(driver).call(start)
    time.sleep(0.02)
    driver.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before


def test_close_cancels_what_is_left(driver: Driver) -> None:
    """A task that nobody owns any more is cancelled and awaited."""
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def start() -> None:
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    Portal(driver).call(start)
    driver.close()
    assert ended == ["cleaned up"]


def test_close_shuts_async_generators_down(driver: Driver) -> None:
    """An async generator that was left half-way runs its ``finally``."""
    ended: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            ended.append("closed")

    generator = numbers()
    assert Portal(driver).call(anext, generator) == 1
    driver.close()
    assert ended == ["closed"]


def test_close_leaves_no_resource_open() -> None:
    """No ResourceWarning after the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        driver = Driver()
        Portal(driver).call(_thread_id)
        driver.close()
        del driver
        gc.collect()


def test_a_driver_may_be_closed_unused_and_twice() -> None:
    """Closing is harmless when there is nothing to close."""
    driver = Driver()
    driver.close()
    driver.close()


def test_a_closed_driver_refuses_calls(driver: Driver) -> None:
    """A call after the end says so."""
    driver.close()
    with pytest.raises(ClientError, match="loop is closed"):
        Portal(driver).call(_thread_id)


def test_close_names_a_task_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end is bounded, and tells which task held it up."""
    monkeypatch.setattr("harness.client.driver.CLOSE_TIMEOUT", 0.1)
    patient = True

    async def stubborn() -> None:
        while patient:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                continue

    async def start() -> None:
        tasks.append(asyncio.create_task(stubborn()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    driver = Driver()
    Portal(driver).call(start)
    with pytest.raises(ClientError, match="did not end") as error:
        driver.close()
    patient = False
    tasks[0]._log_destroy_pending = False  # type: ignore[attr-defined] # the test leaves it pending by intent
    assert "stubborn" in str(error.value)
    assert "test_client_driver.py" in str(error.value)
