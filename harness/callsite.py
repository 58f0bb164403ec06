"""Where in the user's own code did this happen? Found by walking raw frames, never by formatting a traceback."""

from __future__ import annotations

import asyncio.events
import inspect
import os
import re
import sys
import sysconfig
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType, TracebackType
from typing import Any

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

_LIBRARY, _USERS, _STOP, _MARKED = 0, 1, 2, 3


class _Kinds(dict[str, int]):
    """What each file that was met is: looked at once."""

    def __missing__(self, filename: str) -> int:
        kind = self[filename] = _look_at(filename)
        return kind


_kinds = _Kinds()
#: Functions of libraries that `current_place_and_mark` looks out for, by their identity: code is slow to compare.
_marks: dict[int, CodeType] = {}


#: Parts of a qualified name that are no names: some versions of Python make functions of them, others do not.
_INNER = re.compile(r"<locals>\.|\.<(?:listcomp|dictcomp|setcomp|genexpr|lambda)>|\.<locals>(?=\.<)")


def is_users(filename: str) -> bool:
    """Tell whether a code object's file is the user's: neither a library, nor harness, nor generated."""
    return _kinds[filename] == _USERS


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
    return _walk(_frame(1 + libraries) or sys._getframe(1), past_bottom=False)


def _frame(depth: int) -> FrameType | None:
    """Return a calling frame of the caller; None if the stack ends before, as a greenlet's does."""
    try:
        return sys._getframe(1 + depth)
    except ValueError:
        return None


def mark(codes: Collection[CodeType], neighbours: Iterable[CodeType] = ()) -> None:
    """Let `current_place_and_mark` look out for functions of libraries.

    Args:
        codes: of those functions.
        neighbours: of functions that call the user's on their way to them; so may the module of a marked function.
    """
    for code in codes:
        _marks[id(code)] = code
    for code in (*codes, *neighbours):
        _kinds[code.co_filename] = _MARKED


def current_place_and_mark(libraries: int, further: int, landmark: CodeType) -> tuple[Place | None, FrameType | None]:
    """Return `current_place`, and the innermost call of a marked function on the way there.

    What a marked function's module, or a neighbour's, has called is on the way too, such as an overridden method.

    Args:
        libraries: as for `current_place`.
        further: where the landmark usually is, counted from there; if so, the functions before it need no look either.
        landmark: code of a library's function.
    """
    frame: Any = _frame(1 + libraries + further)
    if frame is None or frame.f_code is not landmark:
        frame = _frame(1 + libraries) or sys._getframe(1)
    kinds = _kinds
    try:
        while True:
            while not (kind := kinds[frame.f_code.co_filename]):
                frame = frame.f_back
            if kind == _USERS:
                return (frame.f_code, frame.f_lineno), _called_by(frame.f_back)
            if kind == _STOP:
                return None, None
            if id(frame.f_code) in _marks:
                return _walk(frame, past_bottom=False), frame
            frame = frame.f_back
    except AttributeError:  # None has no code: the stack has ended
        return _walk(None, past_bottom=False), None


def _called_by(frame: FrameType | None) -> FrameType | None:
    """Return the marked call behind a function of the user's that a module with marked functions has called."""
    if frame is None or _kinds[frame.f_code.co_filename] != _MARKED:
        return None
    while frame is not None and id(frame.f_code) not in _marks and _kinds[frame.f_code.co_filename] != _STOP:
        frame = frame.f_back
    return frame if frame is not None and id(frame.f_code) in _marks else None


def outermost_place() -> Place | None:
    """Return the outermost line of the user's code that belongs to what is going on now: where it all comes from."""
    return _walk(sys._getframe(1), past_bottom=False, outermost=True)


def coroutine_place() -> Place | None:
    """Return the innermost line of the user's code that runs on the event loop by its own making: in an `async def`."""
    return _walk(sys._getframe(1), past_bottom=False, flags=COROUTINE)


def _walk(frame: Any, *, past_bottom: bool, flags: int = 0, outermost: bool = False) -> Place | None:
    kinds, greenlet, found = _kinds, None, None
    while True:
        try:
            while True:
                while not (kind := kinds[frame.f_code.co_filename]):
                    frame = frame.f_back
                code = frame.f_code
                if kind == _USERS and (not flags or code.co_flags & flags):
                    found = code, frame.f_lineno
                    if not outermost:
                        return found
                if kind == _STOP and not past_bottom:
                    return found
                frame = frame.f_back
        except AttributeError:  # None has no code: the stack has ended
            greenlet = _waiting_for(greenlet)
        if greenlet is None:
            return found
        frame = greenlet.gr_frame


def _waiting_for(greenlet: Any) -> Any:
    """Return the greenlet that waits for one, or for the running one if there is none.

    An async engine runs the driver in a greenlet: the coroutine that awaits it is on the parent's stack.
    """
    if greenlet is not None:
        return greenlet.parent
    module = sys.modules.get("greenlet")
    return module.getcurrent().parent if module is not None else None


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
