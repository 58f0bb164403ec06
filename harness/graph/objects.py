"""Where the long-lived objects of an application are made: its engines, its factories, its sessions."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.callsite import CallSite, is_users
from harness.ext_asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from harness.graph.source import assignment

_KINDS = (
    Engine,
    AsyncEngine,
    Session,
    AsyncSession,
    sessionmaker,
    async_sessionmaker,
    scoped_session,
    async_scoped_session,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A global name of a module, and the assignment that binds it."""

    name: str
    site: CallSite
    value: ast.expr | None


class Objects:
    """The global names of the user's modules; looked through once, and only when somebody asks."""

    def __init__(self) -> None:
        self._names: dict[int, list[tuple[str, str]]] | None = None

    def made(self, value: object) -> Made | None:
        """Return the assignment at the top of a module that made an object, if there is one."""
        if self._names is None:
            self._names = _names()
        for path, name in self._names.get(id(value), ()):
            statement = assignment(path, name)
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                return Made(name, CallSite(path, statement.lineno, "<module>"), statement.value)
        return None


def is_session(value: object) -> bool:
    """Tell whether an object is itself a session. A scoped session is not: it finds one for whoever asks."""
    return issubclass(type(value), Session | AsyncSession)


def _names() -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    wanted: dict[type, bool] = {}
    for module in list(sys.modules.values()):
        space: dict[str, Any] = getattr(module, "__dict__", None) or {}
        path = space.get("__file__")
        for name, value in list(space.items()) if isinstance(path, str) else ():
            kind = type(value)
            if kind not in wanted:
                wanted[kind] = issubclass(kind, _KINDS)
            if wanted[kind] and is_users(str(path)):
                found[id(value)].append((str(path), name))
    return found
