"""What is known of an engine that is captured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from harness.isolation.dialects import stand_in

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Dialect
    from sqlalchemy.pool import Pool

    from harness.isolation.native import Native
    from harness.isolation.place import Place


@dataclass(slots=True)
class Captured:
    """What an engine was before it was captured."""

    url: URL
    dialect: Dialect
    pool: Pool
    asynchronous: bool
    own: bool
    #: The replica that it reads from, if it does: nothing can be written through it.
    replica: str | None = None
    #: Raises an error if it may not connect to the database that it is captured for; told the URL it was made with.
    admit: Callable[[URL], None] | None = None
    initialized: bool = False
    #: Dialects that it has had of other databases, and whether its own takes what servers take.
    others: dict[tuple[type[Dialect], bool], Dialect] = field(default_factory=dict)
    lenient: bool = False
    #: How it connects by itself; found out when a test first has a database of its own.
    native: Native | None = None
    #: In a test with a database of its own: that, and the pool of connections to it.
    aside: tuple[Place, Pool] | None = None
    #: Meanwhile, what it has while it shares the pinned connection: pool, dialect, URL.
    shared: tuple[Pool, Dialect, URL] | None = None

    def other(self, wanted: type[Dialect], *, lenient: bool) -> Dialect:
        """Return a dialect of another database, the same one each time: what SQLAlchemy compiles, it keeps by dialect.

        Args:
            wanted: its class.
            lenient: whether SQLite shall take what servers take.
        """
        if (wanted, lenient) not in self.others:
            self.others[wanted, lenient] = stand_in(
                self.dialect, wanted, asynchronous=self.asynchronous, lenient=lenient
            )
        return self.others[wanted, lenient]


class Own(Enum):
    """How harness will use an engine that it makes for the user's test."""

    SYNC = "sync"
    ASYNC = "async"
