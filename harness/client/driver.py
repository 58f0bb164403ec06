"""Drive a private event loop in the very thread that waits for its result.

Starlette's ``TestClient`` runs the application in a thread of its own: one thread and one loop per client, and a
switch of threads there and back for every call. Here the thread that needs a result runs the loop itself until the
result is there. No thread is started, the loop outlives the test (and with it the application's module-level
resources), and a request costs a fraction.

Five rules keep that indistinguishable from a thread of its own:

* **Turns.** A loop runs in one thread at a time. Whoever holds the baton drives for everybody; when its own result is
  there it hands over to another waiting thread. Those who wait sleep on a condition.
* **A root task.** Every turn is a ``run_until_complete`` of one task that lives as long as the loop. anyio ties its
  worker threads to the task it finds there; tied to a request they would die, and be started again, with each one.
* **Nothing stands still.** Tasks that the application left behind go on while the test does something else, as they
  would in a server: a keeper thread takes the baton when nobody wanted it for a moment. It exists only from the first
  time such a task was seen.
* **Production's greenlets.** A bridged sync test runs in a greenlet in which SQLAlchemy would allow lazy loads
  anywhere. The loop is driven from a plain greenlet then, so that the application still meets ``MissingGreenlet``.
* **Greenlets stay in their thread.** One that is suspended in a statement cannot be resumed in another thread, so the
  baton is handed over only when none is.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, ContextVar
from typing import Any, Protocol

from harness.client.baton import Baton
from harness.client.keeper import Keeper
from harness.client.leftovers import cancel_all
from harness.clock import now
from harness.errors import ClientError

CLOSE_TIMEOUT = 5.0


class Owner(Protocol):
    """Whoever answers for the tasks that code started on its behalf creates."""

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take note of a new task."""


# Read by the loop's task factory; tasks inherit it with their context, however deep they were started.
OWNER: ContextVar[Owner | None] = ContextVar("harness_client_owner", default=None)


class Driver:
    """One private event loop, driven by whichever thread waits for it.

    Args:
        busy: tells whether something on the loop can only go on in the thread that drives it now.
        idle_after: seconds without a caller after which left-over tasks are driven by the keeper thread.
    """

    def __init__(
        self, *, busy: Callable[[asyncio.AbstractEventLoop], bool] = lambda loop: False, idle_after: float = 0.002
    ) -> None:
        self._busy = busy
        self._baton = Baton(self._stop)
        self._making = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._root: asyncio.Task[None] | None = None
        self._retired = asyncio.Event()
        self._closed = False
        self._unattended = 0
        self._keeper = Keeper(self._keep, pause=idle_after)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The private loop; made on first use, by the policy that is current then."""
        with self._making:
            if self._closed:
                raise ClientError(
                    "the client's event loop is closed",
                    why="a client was used after the test session had ended",
                    remedy="use the client inside a test or a fixture",
                )
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # Timers go off although a test has frozen the clock that the loop would look at.
                self._loop.time = now  # type: ignore[method-assign]  # of one object
                self._loop.set_task_factory(_adopting)
                self._root = asyncio.Task(self._live(), loop=self._loop, name="harness-root", context=Context())
            return self._loop

    # Submitting and waiting

    def perform(self, spawn: Callable[[asyncio.AbstractEventLoop], None], future: Future[Any]) -> None:
        """Spawn a task and return when its future is done."""
        loop = self.loop
        self.refuse_reentrance()
        if asyncio._get_running_loop() is None and self._baton.take_from_keeper():
            # The baton is ours, so the loop stands still: no detour through its thread-safe queue is needed.
            future.add_done_callback(self._baton.wake)
            try:
                spawn(loop)
                self._drive(future, None)
            finally:
                self._hand_over()
        else:
            loop.call_soon_threadsafe(spawn, loop)
            self.wait(future)

    def submit(self, spawn: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        """Spawn a task without waiting for it."""
        loop = self.loop
        if self._baton.take_if_free():
            try:
                spawn(loop)
            finally:
                self._hand_over()
        else:
            loop.call_soon_threadsafe(spawn, loop)

    def wait(self, future: Future[Any], timeout: float | None = None) -> None:
        """Return when the future is done, driving the loop if nobody else does.

        Raises:
            TimeoutError: when it is not done in time.
        """
        if future.done():
            return
        self.refuse_reentrance()
        if asyncio._get_running_loop() is not None:
            self._wait_elsewhere(future, timeout)
            return
        deadline = None if timeout is None else now() + timeout
        future.add_done_callback(self._baton.wake)
        if self._baton.take_unless_done(future, deadline):
            try:
                self._drive(future, deadline)
            finally:
                self._hand_over()
        if not future.done():
            raise TimeoutError

    def refuse_reentrance(self) -> None:
        """Raise if this thread is inside the private loop: it would wait for itself."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            task = asyncio.current_task(self._loop)
            raise ClientError(
                "the application called the blocking test client from its own event loop",
                where=f"task {task.get_name()}" if task else None,
                why="the call would wait for a loop that cannot go on before the call returns: a deadlock",
                remedy="use the async client inside coroutines, or call the blocking one in a worker thread",
            )

    # Driving

    def _drive(self, future: Future[Any], deadline: float | None) -> None:
        """Run the loop until the future is done. The baton must be held."""
        assert self._loop is not None
        self._baton.await_for(future)
        timer = None
        if deadline is not None:
            timer = self._loop.call_later(max(deadline - now(), 0), self._loop.stop)
        try:
            while not future.done() and (deadline is None or now() < deadline):
                self._turn()
        finally:
            self._baton.await_for(None)
            if timer is not None:
                timer.cancel()
        self._settle()

    def _settle(self) -> None:
        """Drive on until the loop can go on in any thread."""
        assert self._loop is not None
        while self._busy(self._loop):
            self._loop.call_later(0.0005, self._loop.stop)
            self._turn()

    def _turn(self) -> None:
        """Run the loop until somebody stops it, from a greenlet in which the application meets production's rules."""
        greenlet = sys.modules.get("greenlet")
        if greenlet and getattr(greenlet.getcurrent(), "__sqlalchemy_greenlet_provider__", False):
            greenlet.greenlet(self._turn_here).switch()
        else:
            self._turn_here()

    def _turn_here(self) -> None:
        assert self._loop is not None
        assert self._root is not None
        try:
            self._loop.run_until_complete(self._root)
        except RuntimeError:
            # "Event loop stopped before Future completed": that is how each turn ends, by intent.
            if self._root.done() or self._loop.is_closed() or self._loop.is_running():
                raise

    async def _live(self) -> None:
        """Be the root task. An application that cancels every task of its loop must not take the root with it."""
        while not self._retired.is_set():
            try:
                await self._retired.wait()
            except asyncio.CancelledError:
                continue

    def _stop(self, here: bool) -> None:
        """End the turn that is going on."""
        if self._loop is None:
            return
        if here:
            self._loop.stop()
        else:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _hand_over(self) -> None:
        self._baton.hand_over()
        if self._unattended and not self._closed:
            self._keeper.call()

    def _wait_elsewhere(self, future: Future[Any], timeout: float | None) -> None:
        """Wait in a thread that has no loop: this one runs another loop, and two cannot run in one thread."""
        expired: list[TimeoutError] = []

        def wait() -> None:
            try:
                self.wait(future, timeout)
            except TimeoutError as error:
                expired.append(error)

        helper = threading.Thread(target=wait, name="harness-client", daemon=True)
        helper.start()
        helper.join()
        if expired:
            raise expired[0]

    # Tasks left behind

    def attend(self, change: int) -> None:
        """Count the tasks that nobody waits for; called in the loop. At none the keeper may rest."""
        self._unattended += change
        if not self._unattended and self._baton.kept and self._loop is not None:
            self._loop.stop()

    def _keep(self) -> None:
        """Drive for the tasks left behind until somebody wants the baton."""
        if not self._baton.take_if_free(keeping=True):
            return
        try:
            if self._unattended and not self._closed:
                with suppress(BaseException):  # a task's SystemExit belongs to that task, not to this thread
                    self._turn_here()
                    self._settle()
        finally:
            self._hand_over()

    # The end

    def close(self) -> None:
        """Cancel and await every task, shut async generators and worker threads down, and close the loop.

        Raises:
            ClientError: when a task does not end within five seconds of being cancelled.
        """
        with self._making:
            loop, root, self._closed = self._loop, self._root, True
        self._keeper.close()
        if loop is None or root is None or loop.is_closed():
            return
        ending: Future[None] = Future()
        while not self._baton.take_unless_done(ending, None):
            pass
        try:
            # A plain task: root must outlive it, because anyio's worker threads end when root does.
            loop.run_until_complete(asyncio.Task(self._end(loop, root), loop=loop))
        finally:
            self._retired.set()
            loop.run_until_complete(root)
            loop.close()
            self._hand_over()
            self._keeper.join()

    async def _end(self, loop: asyncio.AbstractEventLoop, root: asyncio.Task[None]) -> None:
        spared = {root, asyncio.current_task()}
        try:
            await cancel_all(lambda: asyncio.all_tasks(loop) - spared, CLOSE_TIMEOUT)
        finally:
            await loop.shutdown_asyncgens()
            await loop.shutdown_default_executor()


def _adopting(
    loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any] | Any, **options: Any
) -> asyncio.Task[Any]:
    """Create a task and tell the owner on whose behalf the running code was started."""
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
    context: Context | None = options.get("context")
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.adopt(task)
    return task
