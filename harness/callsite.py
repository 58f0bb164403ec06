"""Where in the user's own code did this happen? Found by walking raw frames, never by formatting a traceback."""

from __future__ import annotations

import asyncio.events
import inspect
import os
import re
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType, TracebackType

#: Where harness is: by its file, and by what its code says. Compiled code may remember another name of the folder.
_HERE = {os.path.realpath(os.path.dirname(name)) for name in (__file__, (lambda: None).__code__.co_filename)}
_LIBRARIES = tuple(
    {
        os.path.realpath(path) + os.sep
        for path in (*map(sysconfig.get_paths().get, ("stdlib", "platstdlib", "purelib", "platlib")), *_HERE)
        if path
    }
)
#: Where a call stack stops being about what is going on: below are the event loop, the client and the test.
_BOTTOM = {
    os.path.join(os.path.realpath(os.path.dirname(asyncio.events.__file__)), "events.py"),
    *(os.path.join(here, *name) for here in _HERE for name in (("observe", "asgi.py"), ("client", "driver.py"))),
}


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place in the user's code: absolute path, 1-based line, qualified function name."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        shown = os.path.relpath(self.path)
        return f"{self.path if shown.startswith('..') else shown}:{self.line} in {self.function}"


#: A line of the user's code as it is found; a `CallSite` once it is told.
Place = tuple[CodeType, int]

#: Marks the code of an `async def`.
COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

_LIBRARY, _USERS, _STOP = 0, 1, 2
_known: dict[str, int] = {}


#: Parts of a qualified name that are no names: some versions of Python make functions of them, others do not.
_INNER = re.compile(r"<locals>\.|\.<(?:listcomp|dictcomp|setcomp|genexpr|lambda)>|\.<locals>(?=\.<)")


def is_users(filename: str) -> bool:
    """Tell whether a code object's file is the user's: neither a library, nor harness, nor generated."""
    return _kind(filename) == _USERS


def _kind(filename: str) -> int:
    known = _known.get(filename)
    if known is None:
        known = _known[filename] = _look_at(filename)
    return known


def _look_at(filename: str) -> int:
    if filename.startswith("<"):
        return _LIBRARY
    folder, name = os.path.split(filename)
    if _real(folder) + name in _BOTTOM:
        return _STOP
    return _LIBRARY if _real(folder).startswith(_LIBRARIES) else _USERS


@cache
def _real(folder: str) -> str:
    """Return where a folder really is: a link to a project is the project, a folder of links to a cache is itself."""
    return os.path.realpath(folder) + os.sep


def site_of(code: CodeType, line: int | None = None) -> CallSite:
    """Return the place of a line of some code; without a line, where the code begins."""
    return CallSite(code.co_filename, line or code.co_firstlineno, _INNER.sub("", code.co_qualname))


def nearest_user_frame() -> CallSite | None:
    """Return the innermost frame of the user's code, looking through greenlets, or None if there is none."""
    place = _walk(sys._getframe(1), past_bottom=True)
    return site_of(*place) if place is not None else None


def current_place(libraries: int = 0) -> Place | None:
    """Return the innermost line of the user's code that belongs to what is going on now.

    The walk ends where a request, or an event loop's callback, begins: what called that is not its cause.

    Args:
        libraries: how many of the calling functions, itself included, are certainly none of the user's. A frame that
            is passed over is not made an object, which is most of what looking at it costs.
    """
    try:
        frame = sys._getframe(1 + libraries)
    except ValueError:  # the stack ends before, as a greenlet's does
        frame = sys._getframe(1)
    return _walk(frame, past_bottom=False)


def coroutine_place() -> Place | None:
    """Return the innermost line of the user's code that runs on the event loop by its own making: in an `async def`."""
    return _walk(sys._getframe(1), past_bottom=False, flags=COROUTINE)


def _walk(frame: FrameType | None, *, past_bottom: bool, flags: int = 0) -> Place | None:
    known, greenlet = _known, None
    while True:
        while frame is not None:
            code = frame.f_code
            kind = known.get(code.co_filename)
            if kind is None:
                kind = _kind(code.co_filename)
            if kind == _USERS and (not flags or code.co_flags & flags):
                return code, frame.f_lineno
            if kind == _STOP and not past_bottom:
                return None
            frame = frame.f_back
        # An async engine runs the driver in a greenlet: the coroutine that awaits it is on the parent's stack.
        module = sys.modules.get("greenlet")
        if module is None:
            return None
        greenlet = module.getcurrent().parent if greenlet is None else greenlet.parent
        if greenlet is None:
            return None
        frame = greenlet.gr_frame


def place_of(traceback: TracebackType | None) -> Place | None:
    """Return the innermost line of the user's code in a traceback."""
    found = None
    while traceback is not None:
        if is_users(traceback.tb_frame.f_code.co_filename):
            found = traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def code_of(function: object) -> CodeType | None:
    """Return the code that a call of something callable runs, behind decorators; None if it is not Python."""
    if not callable(function):
        return None
    function = inspect.unwrap(getattr(function, "func", function))  # a partial is its function
    called = function if hasattr(function, "__code__") else type(function).__call__
    code = getattr(called, "__code__", None)
    return code if isinstance(code, CodeType) else None
