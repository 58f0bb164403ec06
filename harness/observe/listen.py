"""Puts every listener in place, and takes it back: nothing else in harness listens to an application.

Public events wherever there is one. What has none is replaced here, and only here: see `REPLACED`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from harness.callsite import mark
from harness.ext_asyncio import AVAILABLE, AsyncSession
from harness.observe import outbound, private, unawaited
from harness.observe.asgi import Requests
from harness.observe.connections import Connections
from harness.observe.recorder import Recorder
from harness.observe.sessions import Sessions

#: Functions without an event, and what they tell. `tests/backends/test_private_names.py` pins their shape.
REPLACED = {
    "sqlalchemy.orm.Session.__init__": "a session was made",
    "sqlalchemy.orm.Session.close": "a session is closed, and still holds what it has not sent",
    "sqlalchemy.ext.asyncio.AsyncSession.__aexit__": "an exception leaves the block of a session",
    "warnings._warn_unawaited_coroutine": "a coroutine is dropped unawaited",
    "starlette.applications.Starlette.__call__": "a request comes, its response begins and ends",
    "fastapi.routing.run_endpoint_function": "dependencies are done, the endpoint is done",
    "starlette.background.BackgroundTask.__call__": "a background task runs",
}


class Listeners(NamedTuple):
    """What a connection that is out of its pool tells of, as `harness/isolation/observer.py` describes it."""

    sending: Callable[..., None]
    sent: Callable[..., None]
    failed: Callable[..., None]
    committing: Callable[..., None]
    rolling_back: Callable[..., None]


@contextmanager
def listening(recorder: Recorder) -> Iterator[Listeners]:
    """Record what every session and pool of the process does, until the context ends.

    Yields:
        what the connections that come from the pools are to tell of.
    """
    mark(private.LOADERS.values(), private.EXECUTES.values())
    sessions, connections = Sessions(recorder), Connections(recorder)
    listeners: tuple[tuple[type[Any], str, Callable[..., Any]], ...] = (
        (Session, "after_begin", sessions.begin),
        (Session, "transient_to_pending", sessions.adding),
        (Session, "before_commit", sessions.committing),
        (Session, "after_commit", sessions.committed),
        (Session, "after_rollback", sessions.rolled_back),
        (Session, "after_soft_rollback", sessions.soft_rolled_back),
        (Session, "after_transaction_end", sessions.ended),
        (Pool, "checkout", connections.checkout),
        (Pool, "checkin", connections.checkin),
        (Pool, "reset", connections.reset),
        (Pool, "invalidate", connections.invalidate),
        (Pool, "detach", lambda connection, record: connections.invalidate(connection, record, None)),
    )
    with ExitStack() as stack:
        for target, name, listener in listeners:
            stack.enter_context(_listening_to(target, name, recorder.guarded(listener)))
        stack.enter_context(unawaited.watching(recorder))
        stack.enter_context(_replaced(Session, "__init__", _afterwards(recorder.guarded(sessions.born))))
        stack.enter_context(_replaced(Session, "close", _before(recorder.guarded(sessions.closing))))
        if AVAILABLE:
            stack.enter_context(_replaced(AsyncSession, "__aexit__", _before(recorder.guarded(sessions.leaving))))
        yield Listeners(
            sending=recorder.guarded(connections.sending),
            sent=recorder.guarded(connections.sent),
            failed=recorder.guarded(connections.failed),
            committing=recorder.guarded(connections.committing),
            rolling_back=recorder.guarded(connections.rolling_back),
        )


@contextmanager
def listening_to_requests(requests: Requests) -> Iterator[None]:
    """Record the requests to every Starlette application of the process, until the context ends."""
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask

    with ExitStack() as stack:
        stack.enter_context(outbound.restored())
        stack.enter_context(_replaced(Starlette, "__call__", requests.wrap_app))
        stack.enter_context(_replaced(BackgroundTask, "__call__", requests.wrap_background))
        yield


@contextmanager
def listening_to_endpoints(requests: Requests) -> Iterator[None]:
    """Record where FastAPI's endpoints begin and end, until the context ends; nothing if it calls them otherwise."""
    from fastapi import routing

    if not hasattr(routing, "run_endpoint_function"):
        yield
        return
    with _replaced(routing, "run_endpoint_function", requests.wrap_endpoint):
        yield


@contextmanager
def _listening_to(target: type[Any], name: str, listener: Callable[..., Any]) -> Iterator[None]:
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


@contextmanager
def _replaced(owner: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    original = getattr(owner, name)
    replacement = functools.wraps(original)(wrap(original))
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        if getattr(owner, name) is replacement:  # somebody may have replaced it again, and still call ours
            setattr(owner, name, original)


def _afterwards(listener: Callable[[Any], None]) -> Callable[[Any], Any]:
    def wrap(original: Any) -> Any:
        def call(self: Any, *args: Any, **given: Any) -> Any:
            result = original(self, *args, **given)
            listener(self)
            return result

        return call

    return wrap


def _before(listener: Callable[..., None]) -> Callable[[Any], Any]:
    def wrap(original: Any) -> Any:
        def call(self: Any, *args: Any, **given: Any) -> Any:
            listener(self, *args)
            return original(self, *args, **given)

        return call

    return wrap
