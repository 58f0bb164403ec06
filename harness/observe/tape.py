"""The tape: all facts of one test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.observe.facts import Checkout, Request, Session, Transaction
from harness.observe.incidents import Abandoned, Disabled, EngineBirth, Unawaited


@dataclass(slots=True, eq=False)
class Tape:
    """What happened in one test.

    Attributes:
        test: the test's node id.
        requests, sessions, checkouts, transactions: those of this test, in order of their beginning; a session made
            earlier is here if a request of this test used it.
        statements: how many were sent, those of the test itself included.
        seconds: how long they took.
        engines: engines made while a request was handled.
        frozen: by table, the columns whose default is the time of the transaction, which stands still in this test.
        abandoned, unawaited, disabled: see their records.
    """

    test: str
    requests: list[Request] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    statements: int = 0
    seconds: float = 0.0
    frozen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    engines: list[EngineBirth] = field(default_factory=list)
    abandoned: list[Abandoned] = field(default_factory=list)
    unawaited: list[Unawaited] = field(default_factory=list)
    disabled: list[Disabled] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is on it that a rule could look at, as after a test that sends no request."""
        return not (
            self.requests
            or self.sessions
            or self.checkouts
            or self.transactions
            or self.engines
            or self.abandoned
            or self.unawaited
            or self.disabled
        )
