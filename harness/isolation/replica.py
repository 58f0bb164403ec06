"""Logical connections to a replica: they show what is in the primary's transaction, and write nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.callsite import nearest_user_frame
from harness.errors import IsolationError
from harness.isolation.cursor import text_of
from harness.isolation.proxy import ConnectionProxy
from harness.isolation.statements import Kind, Statement, classify

if TYPE_CHECKING:
    from harness.isolation.pinned import Pinned

_WRITING = frozenset({Kind.WRITE, Kind.DDL, Kind.IMPLICIT_COMMIT})
#: How many characters of a refused statement are shown.
_SHOWN = 80


class ReplicaProxy(ConnectionProxy):
    """A DBAPI connection on the primary's pinned one that refuses writes, as a server that is a replica does.

    Args:
        pinned: the primary's connection.
        asynchronous: whether the engine is used through SQLAlchemy's asyncio extension.
        name: how the application calls the replica.
    """

    def __init__(self, pinned: Pinned, *, asynchronous: bool, name: str) -> None:
        ConnectionProxy.__init__(self, pinned, asynchronous=asynchronous)
        object.__setattr__(self, "_name", name)

    def _run(self, statement: Statement, sql: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if statement.kind in _WRITING and not self._pinned.level.commits:
            raise _read_only(self._name, text_of(sql))
        return ConnectionProxy._run(self, statement, sql, call, *args, **kwargs)


def refuse_writes(name: str, connection: object, cursor: object, sql: str, *_: object) -> None:
    """Refuse a statement on a real connection to a replica if it writes.

    Raises:
        IsolationError: it does.
    """
    if classify(sql).kind in _WRITING:
        raise _read_only(name, sql)


def _read_only(name: str, sql: str) -> IsolationError:
    site, text = nearest_user_frame(), " ".join(sql.split())
    return IsolationError(
        f"a write was sent to the replica {name!r}: {text if len(text) <= _SHOWN else f'{text[:_SHOWN]} …'}",
        where=str(site) if site else None,
        why="in production a replica refuses it, as nothing but its primary writes there",
        remedy="write through the session of the primary",
    )
