"""What is known about a connection while it is out of its pool, and how its transactions begin and end."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from harness.callsite import Place, current_place
from harness.clock import now
from harness.observe.facts import Checkout, Outcome, Phase, Request, Statement, Transaction
from harness.observe.recorder import CURRENT, Recorder

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from harness.observe.sessions import SessionState

#: Under it a pool's record keeps the `Live` of its connection, among its `info`.
KEY = "harness"
#: Under it an object's state keeps the number of the request that added it to a session, among its `info`.
CREATOR = "_harness"
#: How many functions of harness and SQLAlchemy, at the least, lead from the application's code to where its line is
#: looked for.
_TO_END = 4


class Live:
    """A connection that is out of its pool."""

    __slots__ = (
        "below",
        "busy",
        "connection",
        "fact",
        "inflight",
        "own",
        "returning",
        "savepoints",
        "session",
        "started",
        "transaction",
    )

    def __init__(self, fact: Checkout, below: Live | None) -> None:
        self.fact = fact
        #: The earlier checkout of the same connection, which a StaticPool hands out any number of times at once.
        self.below = below
        self.session: SessionState | None = None
        #: SQLAlchemy's connection that the session uses.
        self.connection: weakref.ref[Connection] | None = None
        #: The transaction to which statements belong now.
        self.transaction: Transaction | None = None
        self.savepoints: list[tuple[str, int]] = []
        #: The statement under way, and the task that waits for it.
        self.inflight: Statement | None = None
        self.busy: weakref.ref[Any] | None = None
        #: When a statement outside of any request was sent.
        self.started = 0.0
        #: Whether harness itself is using the connection, to read what the application should have read.
        self.own = False
        #: Whether its pool is taking it back, and rolls back what is left in it.
        self.returning = False


def begin(live: Live, request: Request | None, recorder: Recorder) -> Transaction:
    """Note that a transaction begins."""
    phase = request.phase if request is not None else None
    live.transaction = transaction = Transaction(live.fact, now(), None, request, phase)
    live.savepoints.clear()
    live.fact.transactions.append(transaction)
    if request is not None:
        recorder.tape.transactions.append(transaction)
    return transaction


def end(transaction: Transaction, outcome: Outcome, closed_at: Place | None = None) -> None:
    """Note how a transaction ended, unless that is known already.

    Args:
        transaction: the transaction.
        outcome: how it ended.
        closed_at: the line that closes its session, where that has been looked for already.
    """
    if transaction.outcome is not Outcome.OPEN:
        return
    request = CURRENT.get()
    transaction.outcome = outcome
    transaction.ended = now()
    transaction.ended_in = request
    transaction.ended_phase = request.phase if request is not None else None
    if request is not None and request.ended is None and request.phase is not Phase.SERIALIZATION:
        transaction.end_place = closed_at or current_place(_TO_END)
