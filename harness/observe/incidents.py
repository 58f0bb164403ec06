"""What happened at one moment: loads, uses, calls, and what was left behind. Each belongs to a record of `facts.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.callsite import CallSite, Place

if TYPE_CHECKING:
    from harness.observe.facts import Checkout, Phase, Request


@dataclass(slots=True, eq=False)
class Unflushed:
    """Work that a session held when it was closed, or when its request ended, and that was never sent.

    Attributes:
        change: `add`, `change` or `delete`.
        model: the mapped class's name.
        attributes: which attributes were changed.
        place: where `session.add` was called, for `add`.
    """

    change: str
    model: str
    at: float
    request: Request | None
    attributes: tuple[str, ...] = ()
    place: Place | None = None


@dataclass(slots=True, eq=False)
class Use:
    """Somebody used a session: what for, where and when.

    Attributes:
        root: the outermost line of the user's code that led there, where that is what to tell.
    """

    what: str
    at: float
    place: Place | None
    request: Request | None
    finished: bool = False
    root: Place | None = None


@dataclass(slots=True, eq=False)
class Sharing:
    """Two tasks, neither of them the request's own, had one session at the same time."""

    at: float
    place: Place | None
    request: Request | None
    tasks: tuple[str, str]


@dataclass(slots=True, eq=False)
class Collision:
    """A statement began while another task's statement was under way on the same connection."""

    at: float
    request: Request | None
    first: str
    first_place: Place | None
    second: str
    second_place: Place | None


@dataclass(slots=True, eq=False)
class LazyLoad:
    """A relationship or column that was loaded because it was touched.

    Attributes:
        attribute: `Author.books`.
        parent: tells the parent objects apart.
        column: whether it was an expired or deferred column, not a relationship.
        recursive: whether parent and child are of one class, as in a tree.
        created: whether the parent was added to a session in the same request: no query has returned it.
    """

    attribute: str
    parent: int
    at: float
    place: Place | None
    request: Request | None
    phase: Phase | None
    column: bool = False
    recursive: bool = False
    created: bool = False


@dataclass(slots=True, eq=False)
class Staleness:
    """An object still shows what a bulk statement has changed in the database; proved by reading the row again."""

    model: str
    attributes: tuple[str, ...]
    deleted: bool
    table: str
    place: Place | None
    request: Request | None


@dataclass(slots=True, eq=False)
class ExternalCall:
    """A call to another service, with the connections that its request held meanwhile.

    Attributes:
        library: `httpx`, `requests`, …
        target: method, scheme and host; never path, query or credentials.
        held: connections with an open transaction.
    """

    library: str
    target: str
    at: float
    place: Place | None
    request: Request
    phase: Phase
    held: tuple[Checkout, ...]


@dataclass(slots=True, eq=False)
class EngineBirth:
    """An engine that was made while a request was handled.

    Attributes:
        url: its URL without password.
    """

    url: str
    at: float
    place: Place | None
    request: Request


@dataclass(slots=True, eq=False)
class Abandoned:
    """An async generator that was dropped while it held a session."""

    function: CallSite
    suspended: CallSite
    at: float
    request: Request | None
    holding: str


@dataclass(slots=True, eq=False)
class Unawaited:
    """A coroutine of an asynchronous session, connection or engine that nobody awaited."""

    method: str
    site: CallSite


@dataclass(slots=True, eq=False)
class Disabled:
    """A listener that failed and was switched off."""

    listener: str
    reason: str
