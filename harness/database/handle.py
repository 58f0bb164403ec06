"""The database a run uses, whoever provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL


def nothing_to_close() -> None:
    """Leave the database as it is: somebody else owns it."""


def nothing_known() -> str | None:
    """Say nothing about why the database may have died."""
    return None


def not_known() -> bool:
    """Do not say that a server has ended."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How databases on a server that harness started are looked at after the run.

    Attributes:
        keep: let the server outlive the run.
        open: the command that opens one of its databases, without a password; takes the database's name.
        remove: the command that removes the server.
    """

    keep: Callable[[], None]
    open: Callable[[str], str]
    remove: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that harness may use.

    Attributes:
        url: where it is, without a driver (`postgresql://…`, `sqlite:///…`): each engine brings its own.
        backend: SQLAlchemy's name of it (`sqlite`, `postgresql`).
        origin: where it came from, for the report header; never shows a password.
        created: harness created it and removes it in `close`. False: it is the user's, and stays.
        copied: it was made as a copy of one that is the user's, so what is in it belongs there.
        close: give it back; safe to call twice, and without effect in a forked child.
        diagnose: why it may have died, when a connection is lost; None if nothing is known.
        gone: whether its server is known to have ended.
        keeping: how its server is kept for the user to look into; None if nobody needs to keep it.
    """

    url: URL
    backend: str
    origin: str
    created: bool
    copied: bool = False
    close: Callable[[], None] = nothing_to_close
    diagnose: Callable[[], str | None] = nothing_known
    gone: Callable[[], bool] = not_known
    keeping: Keeping | None = None
