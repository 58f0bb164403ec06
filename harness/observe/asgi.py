"""Requests: when they come, which phase they are in, what was answered, when and how.

Nothing in Starlette or FastAPI announces these moments, so three functions are replaced while harness observes:
`Starlette.__call__`, through which every request of every application passes, FastAPI's `run_endpoint_function`, which
tells dependencies from endpoint and endpoint from serialisation, and `BackgroundTask.__call__`. `harness/observe/
listen.py` puts them in place and takes them back.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from harness.callsite import CallSite, code_of, site_of
from harness.clock import now
from harness.observe import generators, outbound
from harness.observe.facts import Phase, Request
from harness.observe.failures import failure_of
from harness.observe.overrides import overridden
from harness.observe.private import declared_path
from harness.observe.recorder import CURRENT, Recorder, current_task
from harness.observe.sessions import SessionState, live_state, note_unflushed
from harness.observe.staleness import confirm

App = Callable[..., Awaitable[None]]


class Requests:
    """The listeners."""

    def __init__(self, recorder: Recorder, seen: Callable[[Any], None]) -> None:
        self._recorder = recorder
        self._seen = seen
        self._count = 0
        self._finish = recorder.guarded(self._finish_request)
        self._start = recorder.guarded(self._start_request)
        self._endpoint = recorder.guarded(_enter_endpoint)
        self._leave = recorder.guarded(_leave_endpoint)

    def wrap_app(self, original: App) -> App:
        """Return what stands for `Starlette.__call__`."""

        async def __call__(app: Any, scope: Any, receive: Any, send: Any) -> None:
            # Whoever calls an application first finds no "app" in the scope; a mounted application finds its parent's.
            if scope["type"] not in ("http", "websocket") or "app" in scope:
                await original(app, scope, receive, send)
                return
            request = self._start(app, scope)
            if request is None:
                await original(app, scope, receive, send)
                return
            token = CURRENT.set(request)
            try:
                await original(app, scope, receive, _telling(request, send))
            except BaseException as error:
                request.error = failure_of(error)
                raise
            finally:
                self._finish(request, scope)
                CURRENT.reset(token)

        return __call__

    def wrap_endpoint(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return what stands for `fastapi.routing.run_endpoint_function`."""

        async def run_endpoint_function(**given: Any) -> Any:
            request = CURRENT.get()
            if request is None:
                return await original(**given)
            self._endpoint(request, given.get("dependant"))
            try:
                return await original(**given)
            except BaseException as error:
                request.endpoint_error = failure_of(error)
                request.endpoint_error_at = now()
                raise
            finally:
                self._leave(request)

        return run_endpoint_function

    def wrap_background(self, original: App) -> App:
        """Return what stands for `BackgroundTask.__call__`."""

        async def __call__(task: Any) -> None:
            request = CURRENT.get()
            if request is None:
                await original(task)
                return
            _enter(request, Phase.BACKGROUND)
            try:
                await original(task)
            finally:
                _enter(request, Phase.TEARDOWN)

        return __call__

    def _start_request(self, app: Any, scope: Any) -> Request:
        self._count += 1
        task = current_task()
        socket = scope["type"] == "websocket"
        request = Request(
            number=self._count,
            kind=scope["type"],
            method="WS" if socket else scope.get("method", ""),
            path=scope.get("path", ""),
            began=now(),
            main=id(task) if task is not None else None,
        )
        # A WebSocket, and a route that is not FastAPI's, has no other phase that could be seen to begin.
        _enter(request, Phase.ENDPOINT if socket else Phase.DEPENDENCIES)
        if getattr(app, "dependency_overrides", None):
            request.overridden = overridden(app.dependency_overrides)
        self._recorder.tape.requests.append(request)
        if self._recorder.request_began is not None:
            self._recorder.request_began(request)
        self._seen(app)
        generators.watch(self._recorder)
        outbound.watch(self._recorder)
        return request

    def _finish_request(self, request: Request, scope: Any) -> None:
        request.route = _route(scope) or request.path
        if request.endpoint is None:
            request.endpoint, request.coroutine = _endpoint_of(scope.get("endpoint"))
        for state in _states(request):
            session = state.session()
            if session is not None and state.open:
                note_unflushed(session, state, request)
            if state.failed is not None:
                for transaction in state.open:
                    transaction.failed = state.failed
        request.ended = now()


def _telling(request: Request, send: Any) -> Any:
    async def tell(message: Any) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            request.status = message["status"]
            request.answering = now()
        await send(message)
        if kind == "http.response.body" and not message.get("more_body"):
            request.answered = now()
            if request.phase is not Phase.BACKGROUND:
                _enter(request, Phase.TEARDOWN)

    return tell


def _enter(request: Request, phase: Phase) -> None:
    request.phase = phase
    request.phases.append((phase, now()))


def _enter_endpoint(request: Request, dependant: Any) -> None:
    task = current_task()
    if task is not None:
        request.main = id(task)  # a middleware may have put the endpoint into a task of its own
    request.endpoint, request.coroutine = _endpoint_of(getattr(dependant, "call", None))
    _enter(request, Phase.ENDPOINT)


def _leave_endpoint(request: Request) -> None:
    for state in _states(request):
        if state.suspicions:
            confirm(state, request)
    _enter(request, Phase.SERIALIZATION if request.endpoint_error is None else Phase.TEARDOWN)


def _states(request: Request) -> list[SessionState]:
    """Return the live states of the sessions that a request used."""
    return [state for fact in request.sessions if (state := live_state(fact.number)) is not None]


def _endpoint_of(function: Any) -> tuple[CallSite | None, bool]:
    code = code_of(function)
    return (site_of(code) if code is not None else None, bool(code and code.co_flags & inspect.CO_COROUTINE))


def _route(scope: Any) -> str:
    """Return the path as it was declared, with what mounts put before it."""
    path = declared_path(scope)
    if path is None:
        return ""
    prefix = str(scope.get("root_path", ""))
    return f"{prefix.removeprefix(str(scope.get('app_root_path', '')))}{path}"
