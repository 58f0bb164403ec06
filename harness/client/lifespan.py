"""One run of the ASGI lifespan protocol: startup and shutdown in one task, however many tasks ask for them.

A lifespan that holds an anyio task group must be left by the task that entered it, but pytest plugins set fixtures up
and tear them down in different tasks. So the application's lifespan gets a task of its own.

That task survives its loop's last moment: pytest plugins close a loop by cancelling all its tasks, often before the
fixture that owns the client is torn down. A cancelled lifespan is told to shut down, as a server tells it on SIGTERM,
and the loop waits for that.
"""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client.transport import ASGIApp, Message
from harness.errors import ClientError

SHUTDOWN_TIMEOUT = 30.0
_CANCEL_GRACE = 5.0


class Lifespan:
    """The lifespan of one application, on the loop that first asks for its startup.

    Args:
        app: the application.
        state: filled by the application; servers copy it into each request's scope.
        strict: raise what an application raises that does not know the protocol, as Starlette's TestClient does.
            Otherwise it is taken as "no lifespan", as servers do.
    """

    def __init__(self, app: ASGIApp, state: dict[str, Any], *, strict: bool) -> None:
        self._app = app
        self._state = state
        self._strict = strict
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._stop = asyncio.Event()
        self._asked_to_start = False
        self._complaint: str | None = None
        self._failure: BaseException | None = None
        self._told = False

    @property
    def ended(self) -> bool:
        """True when there is nothing left to shut down."""
        return self._task is None or self._task.done()

    def again(self) -> Lifespan:
        """Return another lifespan of the same application, which has not begun."""
        return Lifespan(self._app, self._state, strict=self._strict)

    async def startup(self) -> None:
        """Start the application once; later callers wait for the same startup.

        A caller that is cancelled does not stop the startup for the others.
        """
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            # Not through create_task: the blocking client counts tasks made there as the application's left-overs.
            self._task = asyncio.Task(self._run(), loop=loop, name="harness-lifespan")
        if self._told:
            raise ClientError(
                "the application did not start, so it cannot answer",
                where="its lifespan",
                why=f"it raised at the first request: {self._failure!r}",
                remedy="see the first failure",
            ) from self._failure
        try:
            await asyncio.shield(self._started)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._told = True
            raise

    async def shutdown(self, timeout: float | None = SHUTDOWN_TIMEOUT) -> None:
        """Shut the application down and raise what it raises.

        Raises:
            ClientError: when it takes longer than ``timeout`` seconds.
        """
        task, started = self._task, self._started
        if task is None or started is None:
            return
        self._stop.set()
        if not started.done():
            task.cancel()
        await asyncio.wait([task], timeout=timeout)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_GRACE)
            raise _too_slow(timeout)
        if started.done() and not started.cancelled() and started.exception() is not None:
            return  # Startup failed, and whoever asked for it was told.
        if self._failure is not None and not isinstance(self._failure, asyncio.CancelledError):
            failure, self._failure = self._failure, None
            raise failure

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except (KeyboardInterrupt, SystemExit) as error:
            self._settle(error)
            raise
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the startup or the shutdown
            self._settle(error)
        else:
            self._settle(None)

    async def _receive(self) -> Message:
        if not self._asked_to_start:
            self._asked_to_start = True
            return {"type": "lifespan.startup"}
        try:
            await self._stop.wait()
        except asyncio.CancelledError:
            # The loop is being closed around us: use what is left of it to shut down in order.
            self._stop.set()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete" and self._started is not None and not self._started.done():
            self._started.set_result(None)
        elif kind.endswith(".failed"):
            self._complaint = message.get("message") or "no reason given"

    def _settle(self, error: BaseException | None) -> None:
        """Tell the waiting side how the application's lifespan ended."""
        if error is None and self._complaint is not None:
            error = ClientError(
                "the application reported that its lifespan failed",
                where=self._complaint.rstrip(),
                why="a server would refuse to run it",
                remedy="let the lifespan start and shut down without an error",
            )
        self._failure = error
        started = self._started
        if started is None or started.done():
            return
        if isinstance(error, asyncio.CancelledError):
            started.cancel()
        elif error is None or (not self._strict and self._complaint is None and isinstance(error, Exception)):
            self._failure = None
            started.set_result(None)
        else:
            started.set_exception(error)


def _too_slow(timeout: float | None) -> ClientError:
    return ClientError(
        f"the application's lifespan did not shut down within {timeout:g} s",
        where="the code after `yield` in its lifespan",
        why="the test session would wait for it without end; it was cancelled",
        remedy="bound what it waits for, or end its background tasks before waiting for them",
    )
