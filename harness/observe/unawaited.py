"""Coroutines of an asynchronous session that were made and never awaited: what they should have done never happened."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from harness.callsite import nearest_user_frame
from harness.observe.incidents import Unawaited
from harness.observe.recorder import Recorder

_ASYNCIO = os.path.join("sqlalchemy", "ext", "asyncio") + os.sep
_SQLMODEL = os.path.join("sqlmodel", "ext", "asyncio") + os.sep


@contextmanager
def watching(recorder: Recorder) -> Iterator[None]:
    """Record coroutines that are dropped unawaited.

    Python tells of them by a warning, which a project may turn into anything; it makes that warning with a function
    of the module `warnings` that it looks up each time, and here that function is listened to.
    """
    module: Any = warnings  # the function is private, and unknown to type checkers
    original: Callable[[Any], None] | None = getattr(module, "_warn_unawaited_coroutine", None)
    if original is None:
        yield
        return
    note = recorder.guarded(lambda coroutine: _note(recorder, coroutine))

    def warn(coroutine: Any) -> None:
        note(coroutine)
        _hand_on(original, coroutine, sys._getframe(1))

    module._warn_unawaited_coroutine = warn
    try:
        yield
    finally:
        if module._warn_unawaited_coroutine is warn:
            module._warn_unawaited_coroutine = original


def _hand_on(original: Callable[[Any], None], coroutine: Any, frame: FrameType) -> None:
    """Let Python warn as it would have; by itself it would name this file as the place."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        original(coroutine)
    for one in told:
        registry = frame.f_globals.setdefault("__warningregistry__", {})
        where = (frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"))
        warnings.warn_explicit(one.message, one.category, *where, registry=registry, source=coroutine)


def _note(recorder: Recorder, coroutine: Any) -> None:
    path = coroutine.cr_code.co_filename
    if _ASYNCIO not in path and _SQLMODEL not in path:
        return
    if sys.is_finalizing():
        return
    site = nearest_user_frame()
    if site is not None:
        recorder.tape.unawaited.append(Unawaited(coroutine.__qualname__, site))
