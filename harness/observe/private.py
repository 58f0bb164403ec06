"""What no public name of SQLAlchemy or FastAPI tells.

`tests/backends/test_private_names.py` notices when one of the private names is gone. Each function answers as if
nothing special had happened when its private name does not exist.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from sqlalchemy.engine import base as engine_base
from sqlalchemy.orm import Session, loading, strategies
from sqlalchemy.pool import base as pool_base


def pool_of(fairy: Any) -> Any:
    """Return the pool that a connection came from, or None."""
    return getattr(fairy, "_pool", None)


def declared_path(scope: Any) -> str | None:
    """Return the path of the route that a request was handed to, as it was declared; None if there was none.

    Since FastAPI 0.138 the route itself does not know the prefix of the router that includes it; what it amounts to
    there is kept beside it.
    """
    effective = (scope.get("fastapi") or {}).get("effective_route_context")
    path = getattr(effective, "path", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None


def returned_by_collection() -> bool:
    """Tell, in a pool's `checkin`, whether the garbage collector returned the connection."""
    frame = _frame_of(_FINALIZE, 10)
    if frame is None or (frame.f_back is not None and id(frame.f_back.f_code) in _RETURNS):
        return False
    local = frame.f_locals
    return bool(local.get("is_gc_cleanup") or local.get("ref") is not None)


def closing_core_connection() -> bool:
    """Tell, in a rollback, whether the connection is being closed, rather than rolled back on request."""
    return _frame_of(_CLOSES, 25) is not None


def loaded_by(loader: FrameType) -> tuple[Any, Any]:
    """Return, of a function of `LOADERS` that runs, the state of the object and the relationship that it loads.

    The relationship is None if it loads the object's own columns; the state, if it loads no object that is there.
    """
    local = loader.f_locals
    if id(loader.f_code) in _COLUMNS:
        return local.get("refresh_state"), None
    prop = getattr(local.get("self"), "parent_property", None)
    return (local.get("state"), prop) if prop is not None else (None, None)


def given_to_session() -> tuple[Any, dict[str, Any]] | None:
    """Return the statement and the options with which the application called a session that executes it now.

    The names are those of the public methods' parameters. None if no session was asked, or only to flush.
    """
    frame = _frame_of(EXECUTES | _FLUSHES, 25)
    if frame is None or id(frame.f_code) in _FLUSHES:
        return None
    local = frame.f_locals
    return local.get("statement"), dict(local.get("execution_options") or {})


Codes = dict[int, CodeType]


def _codes(*functions: Any) -> Codes:
    """Return the code of functions by its identity: looking for code by its value means to hash all that is in it."""
    found = (getattr(function, "__code__", None) for function in functions)
    return {id(code): code for code in found if code is not None}


_FINALIZE = _codes(getattr(pool_base, "_finalize_fairy", None))
_RETURNS = _codes(getattr(getattr(pool_base, "_ConnectionFairy", None), "_checkin", None))
_CLOSES = _codes(engine_base.Connection.close, engine_base.Transaction.close)
#: What executes a statement on a connection.
EXECUTE = engine_base.Connection.execute.__code__
#: What executes a statement in a session; it calls the application's listeners, too.
EXECUTES = _codes(Session.execute, Session.scalars, Session.scalar)
_FLUSHES = _codes(Session.flush)
_COLUMNS = _codes(getattr(loading, "_load_on_ident", None) or getattr(loading, "load_on_ident", None))
_LAZY = getattr(strategies, "_LazyLoader", None) or getattr(strategies, "LazyLoader", None)
#: The functions that load what is touched: their names differ between SQLAlchemy 2.0 and 2.1.
LOADERS = _COLUMNS | _codes(getattr(_LAZY, "_emit_lazyload", None))


def _frame_of(codes: Codes, depth: int) -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    for _ in range(depth):
        if frame is None:
            return None
        if id(frame.f_code) in codes:
            return frame
        frame = frame.f_back
    return None
