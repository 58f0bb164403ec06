"""How far a transaction reaches: a test, a fixture's scope, or the run itself."""

from __future__ import annotations

from harness.isolation.ledger import Ledger


class Level:
    """A span of time whose database work is undone together when it ends.

    Levels nest: the run, then a session-, module- or class-scoped fixture, then the test. A level costs nothing
    until the first statement inside it.

    Args:
        name: how messages call it.
        commits: whether commits are real. Only the bottom level's are: it is used while the application is
            imported, for building the schema, and by tests that asked for no isolation.
    """

    __slots__ = ("commits", "ended", "ledger", "leftovers", "lost", "name", "savepoint", "sequences", "twins")

    def __init__(self, name: str, *, commits: bool = False) -> None:
        self.name = name
        self.commits = commits
        self.ended = False
        #: Whether what was written in it is gone, because the connection to the database was lost.
        self.lost = False
        self.ledger: Ledger | None = None
        self.savepoint: str | None = None
        #: Sequences that have advanced in this level, and the call that puts each back.
        self.sequences: dict[str, str] = {}
        #: Statements that remove what a rollback leaves behind.
        self.leftovers: list[str] = []
        #: The same span of time on the other databases of the run, in their order.
        self.twins: tuple[Level, ...] = ()

    @property
    def opened(self) -> bool:
        """Tell whether a statement has run in this level."""
        return self.ledger is not None

    @property
    def written(self) -> bool:
        """Tell whether something was written in this level that may still be undone."""
        return self.ledger is not None and self.ledger.written
