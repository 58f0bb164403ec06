"""The levels of all databases of a run, entered and left together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from harness.isolation.level import Level

if TYPE_CHECKING:
    from harness.errors import IsolationError
    from harness.isolation.ledger import Lease
    from harness.isolation.pinned import Pinned


class Stack:
    """The levels as the first database has them; each other one has a twin of each.

    Args:
        pinned: the connections; there is at least one.
    """

    def __init__(self, pinned: Sequence[Pinned]) -> None:
        self._first, *self._others = pinned

    @property
    def levels(self) -> Sequence[Level]:
        """The levels, the run's first."""
        return self._first.levels

    @property
    def top(self) -> Level:
        """The level that statements run in now."""
        return self._first.level

    @property
    def writes(self) -> int:
        """How many statements have written; tells which fixture has made rows."""
        return self._first.writes + sum(pinned.writes for pinned in self._others)

    def enter(self, level: Level) -> None:
        """Start a level; nothing is sent to any database until a statement runs in it."""
        self._first.enter(level)
        level.twins = tuple(Level(level.name, commits=level.commits) for _ in self._others)
        for pinned, twin in zip(self._others, level.twins, strict=True):
            pinned.enter(twin)

    def leave(self, level: Level) -> list[IsolationError]:
        """End a level and undo all that happened in it, and in the levels above it; return what went wrong."""
        problems: list[IsolationError] = []
        with ExitStack() as last_first:  # all of them, also if the connection to one is lost
            for pinned, each in reversed([*zip((self._first, *self._others), (level, *level.twins), strict=False)]):
                last_first.callback(_leave, pinned, each, problems)
        return problems

    def lift(self) -> Level:
        """Take out the top level, in which nothing has happened, to put it back above others."""
        level = self._first.levels.pop()
        for pinned, twin in zip(self._others, level.twins, strict=True):
            pinned.levels.remove(twin)
        return level

    def put_back(self, levels: Iterable[Level]) -> None:
        """Put levels that were taken out on top again."""
        for level in levels:
            self._first.levels.append(level)
            for pinned, twin in zip(self._others, level.twins, strict=True):
                pinned.levels.append(twin)

    def check(self, level: Level) -> list[IsolationError]:
        """Return what is wrong with a level: something has ended a transaction around it."""
        problems = self._first.check(level)
        for pinned, twin in zip(self._others, level.twins, strict=False):
            problems += pinned.check(twin)
        return problems


def _leave(pinned: Pinned, level: Level, problems: list[IsolationError]) -> None:
    problems += pinned.leave(level)


def opened(level: Level) -> bool:
    """Tell whether a statement has run in a level, on any database."""
    return level.opened or any(twin.opened for twin in level.twins)


def open_writers(level: Level) -> Iterator[Lease]:
    """Yield the transactions of a level that have written and not ended."""
    for each in (level, *level.twins):
        if each.ledger is not None:
            yield from each.ledger.owners


def is_closing(level: Level) -> None:
    """What a level is for is over: from now on a rollback undoes nothing that matters."""
    for each in (level, *level.twins):
        if each.ledger is not None:
            each.ledger.closing = True
