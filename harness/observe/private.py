"""What no public name of SQLAlchemy or FastAPI tells.

`tests/backends/test_private_names.py` notices when one of the private names is gone. Each function answers as if
nothing special had happened when its private name does not exist.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.engine import base as engine_base
from sqlalchemy.pool import base as pool_base


def pool_of(fairy: Any) -> Any:
    """Return the pool that a connection came from, or None."""
    return getattr(fairy, "_pool", None)


def autocommits(connection: Connection) -> bool:
    """Tell whether each statement of a connection is committed at once."""
    ask = getattr(connection, "_is_autocommit_isolation", None)
    return bool(ask()) if ask is not None else False


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
    if frame is None or (frame.f_back is not None and frame.f_back.f_code in _RETURNS):
        return False
    local = frame.f_locals
    return bool(local.get("is_gc_cleanup") or local.get("ref") is not None)


def closing_core_connection() -> bool:
    """Tell, in an engine's `rollback`, whether the connection is being closed, rather than rolled back on request."""
    return _frame_of(_CLOSES, 25) is not None


def _codes(*functions: Any) -> frozenset[CodeType]:
    return frozenset(code for function in functions if (code := getattr(function, "__code__", None)) is not None)


_FINALIZE = _codes(getattr(pool_base, "_finalize_fairy", None))
_RETURNS = _codes(getattr(getattr(pool_base, "_ConnectionFairy", None), "_checkin", None))
_CLOSES = _codes(engine_base.Connection.close, engine_base.Transaction.close)


def _frame_of(codes: frozenset[CodeType], depth: int) -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    for _ in range(depth):
        if frame is None:
            return None
        if frame.f_code in codes:
            return frame
        frame = frame.f_back
    return None
