"""Async generators that are dropped while they hold a session: their cleanup runs at some later time, or never."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import AsyncGeneratorType
from typing import Any

from sqlalchemy.orm import Session

from harness.callsite import is_users, site_of
from harness.clock import now
from harness.ext_asyncio import AsyncConnection, AsyncSession
from harness.observe.incidents import Abandoned
from harness.observe.recorder import CURRENT, Recorder

_HOLDERS = (AsyncSession, Session, AsyncConnection)
Finalizer = Callable[[AsyncGeneratorType[Any, Any]], Any]


class _Watching:
    """The finalizer of a running loop, with a look at what is finalized. The loop takes it away when it stops."""

    def __init__(self, recorder: Recorder, original: Finalizer) -> None:
        self._look = recorder.guarded(self._look_at)
        self._recorder = recorder
        self._original = original

    def __call__(self, generator: AsyncGeneratorType[Any, Any]) -> None:
        self._look(generator)
        self._original(generator)

    def _look_at(self, generator: AsyncGeneratorType[Any, Any]) -> None:
        code, frame = generator.ag_code, generator.ag_frame
        if frame is None or not is_users(code.co_filename):
            return
        holding = next((type(value).__name__ for value in frame.f_locals.values() if isinstance(value, _HOLDERS)), None)
        if holding is not None:
            place = site_of(code, frame.f_lineno)
            self._recorder.tape.abandoned.append(Abandoned(site_of(code), place, now(), CURRENT.get(), holding))


def watch(recorder: Recorder) -> None:
    """Watch the async generators of the loop that runs in this thread."""
    hooks = sys.get_asyncgen_hooks()
    if hooks.finalizer is not None and not isinstance(hooks.finalizer, _Watching):
        watching: Any = _Watching(recorder, hooks.finalizer)  # typeshed knows the generator by its abstract type
        sys.set_asyncgen_hooks(hooks.firstiter, watching)
