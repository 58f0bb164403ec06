"""Where in the user's own code did this happen? Found by walking raw frames, never by formatting a traceback."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from types import FrameType

_LIBRARIES = tuple(
    {
        os.path.realpath(path) + os.sep
        for path in (
            *(sysconfig.get_paths().get(key, "") for key in ("stdlib", "platstdlib", "purelib", "platlib")),
            os.path.dirname(os.path.dirname(__file__)),
        )
        if path
    }
)


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place in the user's code: absolute path, 1-based line, function name."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        shown = os.path.relpath(self.path)
        return f"{self.path if shown.startswith('..') else shown}:{self.line} in {self.function}"


_known: dict[str, bool] = {}


def is_users(filename: str) -> bool:
    """Tell whether a code object's file is the user's: neither a library, nor harness, nor generated."""
    known = _known.get(filename)
    if known is None:
        known = not filename.startswith("<") and not os.path.realpath(filename).startswith(_LIBRARIES)
        _known[filename] = known
    return known


def nearest_user_frame() -> CallSite | None:
    """Return the innermost frame of the user's code, looking through greenlets, or None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    greenlet = None
    while True:
        while frame is not None:
            if is_users(frame.f_code.co_filename):
                return CallSite(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
            frame = frame.f_back
        # An async engine runs the driver in a greenlet: the coroutine that awaits it is on the parent's stack.
        module = sys.modules.get("greenlet")
        if module is None:
            return None
        greenlet = module.getcurrent().parent if greenlet is None else greenlet.parent
        if greenlet is None:
            return None
        frame = greenlet.gr_frame
