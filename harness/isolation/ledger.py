"""The books of one pinned connection: which savepoint belongs to whom, and what may still be undone.

All engines of a test share one real connection inside one outer transaction. What the application calls BEGIN,
COMMIT and ROLLBACK is kept here as *segments*, a stack of savepoints on that connection::

    BEGIN
    SAVEPOINT harness_1        guard: nothing has happened since
      …reads…                  cost nothing: no savepoint, no turn
      first write of A         A adopts the guard; from now on it is A's segment
      A commits                RELEASE harness_1; SAVEPOINT harness_1     one round trip, a fresh guard
      A rolls back             ROLLBACK TO harness_1                      one round trip, the guard is clean again
    ROLLBACK

The guard is why a failed read cannot poison the outer transaction (PostgreSQL aborts a transaction at any error):
the last savepoint is always newer than the last committed work. The rules:

1. Only a writer owns a segment. A *lease* is one transaction of one logical connection; it owns the segments it
   wrote in.
2. A writer whose segment is not on top gets a new one on top; so nested transactions nest.
3. Segments above an open one are *sealed* when their owner commits: they can no longer be told from the open one
   below, so its rollback would undo them. That is refused, naming both parties, never done quietly.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from harness.callsite import CallSite, nearest_user_frame
from harness.errors import IsolationError, OverlapError
from harness.isolation.flow import TEST, Flow, current_flow
from harness.isolation.statements import Kind, Statement

if TYPE_CHECKING:
    from harness.isolation.level import Level

_REMEDY = (
    "commit or close the outer transaction before the inner one starts,\n"
    'or give the test real connections: @pytest.mark.harness(isolation="database")'
)


class Party(NamedTuple):
    """Who had a transaction, and where it first wrote; kept as facts and told only when a message needs it."""

    flow: Flow
    site: CallSite | None

    def __str__(self) -> str:
        return f"{self.flow.label} ({self.site or 'no user code on the stack'})"


class Segment:
    """One savepoint: who may roll it back, and what else has been committed into it."""

    __slots__ = ("carries", "name", "owner", "sealed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.owner: Lease | None = None
        self.sealed: Party | None = None
        self.carries: list[Party] = []

    @property
    def clean(self) -> bool:
        """Tell whether nothing has been written since this savepoint was set."""
        return self.owner is None and self.sealed is None


class Lease:
    """One transaction of one logical connection, from its first statement to its commit or rollback."""

    __slots__ = ("detached", "failed", "flow", "level", "moment", "savepoints", "segments", "site")

    def __init__(self, level: Level) -> None:
        self.level = level
        self.flow: Flow = current_flow()
        self.segments: list[Segment] = []
        self.site: CallSite | None = None
        self.failed = False
        self.detached = False
        #: Its time in microseconds since 1970, where time advances between transactions (`moments.py`).
        self.moment: int | None = None
        self.savepoints: list[tuple[str, int, int]] = []

    @property
    def party(self) -> Party:
        """Who this is, for messages."""
        return Party(self.flow, self.site)


class Ledger:
    """The segments of one level, and the script that moves between them.

    Args:
        run: executes control statements on the real connection, all in one round trip where it can.
        new_name: gives a savepoint name not used before.
        aborts_on_error: whether the server refuses further statements after an error (PostgreSQL).
    """

    def __init__(self, run: Callable[..., None], new_name: Callable[[], str], aborts_on_error: bool) -> None:
        self._run = run
        self._new_name = new_name
        self._aborts_on_error = aborts_on_error
        self.segments: list[Segment] = []
        self.owners: list[Lease] = []
        self.aborted_by: Lease | None = None
        self.closing = False
        #: Whether anybody has written since the level began.
        self.written = False
        self.breaches: list[IsolationError] = []

    def start(self, guard: str) -> None:
        """Begin the books with a savepoint that has just been set."""
        self.segments = [Segment(guard)]

    # -- before a statement ------------------------------------------------------------------------------------

    def blocker(self, lease: Lease) -> Lease | None:
        """Return the open writer that `lease` has to wait for: a sibling that can still make progress."""
        for owner in self.owners:
            if owner is not lease and not owner.flow.related(lease.flow) and owner.flow.alive:
                return owner
        return None

    def prepare(self, lease: Lease, statement: Statement) -> None:
        """Set the savepoint that `statement` needs, if any."""
        if self.aborted_by is not None and self.aborted_by is not lease:
            self._leave_aborted_state()
        if lease.detached and statement.kind is not Kind.ROLLBACK_TO:
            self._abort_again(lease)
            return
        top = self.segments[-1]
        if statement.kind in (Kind.READ, Kind.SETTING):
            if self._aborts_on_error and not top.clean and top.owner is not lease:
                self._push()
            return
        if top.owner is not lease:
            self._own(lease, top if top.clean else self._push())

    def _own(self, lease: Lease, segment: Segment) -> None:
        segment.owner = lease
        self.written = True
        if not lease.segments:
            lease.site = nearest_user_frame()
            self.owners.append(lease)
        lease.segments.append(segment)

    def _push(self) -> Segment:
        segment = Segment(self._new_name())
        self._run(f"SAVEPOINT {segment.name}")
        self.segments.append(segment)
        return segment

    # -- errors on a server that aborts the transaction ----------------------------------------------------------

    def failed(self, lease: Lease) -> None:
        """Note that a statement of `lease` failed."""
        if self._aborts_on_error:
            lease.failed = True
            self.aborted_by = lease

    def recover(self) -> None:
        """Let harness itself look at the rows, also where a failed transaction has not been rolled back yet."""
        if self.aborted_by is not None:
            self._leave_aborted_state()

    def _leave_aborted_state(self) -> None:
        """Let others work while a failed transaction has not been rolled back by its owner yet."""
        lease = self.aborted_by
        assert lease is not None
        name = self.segments[-1].name
        if lease.savepoints and lease.savepoints[-1][1] == len(self.segments):
            name = lease.savepoints[-1][0]
        self._run(f"ROLLBACK TO SAVEPOINT {name}")
        lease.detached = True
        self.aborted_by = None

    def _abort_again(self, lease: Lease) -> None:
        """Bring the server back into the state in which it refuses what a failed transaction sends."""
        self._run(f"SAVEPOINT {self._new_name()}")
        try:
            self._run("SELECT harness_of_an_aborted_transaction")
        except Exception:  # noqa: BLE001 - whatever class the driver raises, the failure is the purpose
            self.aborted_by = lease

    # -- the end of a transaction --------------------------------------------------------------------------------

    def commit(self, lease: Lease) -> None:
        """Keep what `lease` wrote: it can no longer be rolled back by the application."""
        if lease.failed:  # as the server does: COMMIT of an aborted transaction rolls back
            self.rollback(lease)
            return
        for segment in lease.segments:
            segment.owner = None
            segment.sealed = lease.party
        self._forget(lease)
        self._collapse()

    def _collapse(self) -> None:
        """Release what is committed on top of the stack, and set a fresh guard behind it."""
        index = len(self.segments)
        while index and self.segments[index - 1].owner is None:
            index -= 1
        loose = self.segments[index:]
        done = [party for segment in loose for party in (*segment.carries, segment.sealed) if party]
        if not done:
            return
        name = loose[0].name
        if index:
            self._run(f"RELEASE SAVEPOINT {name}")
            self.segments[index - 1].carries.extend(done)
            del self.segments[index:]
        else:
            self._run(f"RELEASE SAVEPOINT {name}", f"SAVEPOINT {name}")
            self.segments[:] = [Segment(name)]

    def rollback(self, lease: Lease) -> None:
        """Undo what `lease` wrote.

        Raises:
            OverlapError: it would undo what another transaction has done since.
        """
        if not lease.segments:
            if self.aborted_by is lease:
                self._run(f"ROLLBACK TO SAVEPOINT {self.segments[-1].name}")
                self.aborted_by = None
            return
        index = self.segments.index(lease.segments[0])
        if victims := self._others_since(lease, index):
            self._refuse(lease, victims)
        self._run(f"ROLLBACK TO SAVEPOINT {self.segments[index].name}")
        self.aborted_by = None
        self.segments[index:] = [Segment(self.segments[index].name)]
        self._forget(lease)

    def _others_since(self, lease: Lease, index: int) -> list[Party]:
        if self.closing:
            return []
        found: list[Party] = []
        for segment in self.segments[index:]:
            found.extend(segment.carries)
            if segment.sealed:
                found.append(segment.sealed)
            elif segment.owner is not None and segment.owner is not lease:
                found.append(segment.owner.party)
        return found

    def _refuse(self, lease: Lease, victims: list[Party]) -> None:
        for segment in lease.segments:
            segment.owner = None
            segment.sealed = lease.party
        self._forget(lease)
        error = OverlapError(
            f"the rollback of one transaction would undo work that {_count(victims)} has done since",
            where=f"rolled back: {lease.party}\n" + "\n".join(f"would be lost: {victim}" for victim in victims[:5]),
            why="all transactions of a test share one connection, where a later one is nested in an earlier open one",
            remedy=_REMEDY,
        )
        self.breaches.append(error)
        raise error

    def _forget(self, lease: Lease) -> None:
        lease.segments = []
        lease.savepoints.clear()
        lease.failed = lease.detached = False
        if lease in self.owners:
            self.owners.remove(lease)
        if self.aborted_by is lease:
            self.aborted_by = None

    def abandoned(self) -> list[Lease]:
        """Return the open writers that nobody can end any more: the request or task that began them is over."""
        suspects = [lease for lease in self.owners if lease.flow is not TEST and not lease.flow.alive]
        if suspects:
            gc.collect()  # a connection in a reference cycle gives itself back only now
        return [lease for lease in suspects if lease in self.owners]

    # -- the application's own savepoints --------------------------------------------------------------------------

    def savepoint(self, lease: Lease, name: str) -> None:
        """Note a savepoint that the application has set."""
        lease.savepoints.append((name, len(self.segments), self._carried(lease)))

    def before_rollback_to(self, lease: Lease, name: str) -> None:
        """Check that rolling back to the application's savepoint `name` undoes only its own work.

        Raises:
            OverlapError: others have worked since.
        """
        depth = self._depth_of(lease, name)
        if depth is None:
            return
        height, carried = depth
        above = [segment for segment in self.segments[height:] if segment.owner is not lease]
        victims = [segment.sealed for segment in above if segment.sealed]
        victims += [segment.owner.party for segment in above if segment.owner]
        if self._carried(lease) > carried:
            victims.extend(lease.segments[-1].carries[carried:])
        if victims and not self.closing:
            error = OverlapError(
                f"the rollback to a savepoint would undo work that {_count(victims)} has done since",
                where=f"rolled back: {lease.party}\n" + "\n".join(f"would be lost: {victim}" for victim in victims[:5]),
                why="all transactions of a test share one connection",
                remedy=_REMEDY,
            )
            self.breaches.append(error)
            raise error

    def rolled_back_to(self, lease: Lease, name: str) -> None:
        """Note that everything since the application's savepoint `name` is gone."""
        depth = self._depth_of(lease, name)
        lease.failed = lease.detached = False
        self.aborted_by = None
        if depth is not None:
            index = max(i for i, entry in enumerate(lease.savepoints) if entry[0] == name)
            del lease.savepoints[index + 1 :]
            self._cut(lease, depth[0])

    def may_release(self, lease: Lease, name: str) -> bool:
        """Tell whether the application's savepoint may be released; if others still work above it, it is kept."""
        depth = self._depth_of(lease, name)
        if depth is None:
            return True
        above = self.segments[depth[0] :]
        return all(segment.owner in (None, lease) for segment in above)

    def released(self, lease: Lease, name: str) -> None:
        """Note that the application's savepoint `name` was released, and all that was set after it."""
        depth = self._depth_of(lease, name)
        if depth is None:
            return
        index = max(i for i, entry in enumerate(lease.savepoints) if entry[0] == name)
        del lease.savepoints[index:]
        above = self.segments[depth[0] :]
        if above and lease.segments:
            keeper = self.segments[depth[0] - 1]
            keeper.carries.extend(party for segment in above for party in (*segment.carries, segment.sealed) if party)
        self._cut(lease, depth[0])

    def _cut(self, lease: Lease, height: int) -> None:
        gone = self.segments[height:]
        del self.segments[height:]
        lease.segments = [segment for segment in lease.segments if segment not in gone]

    def _depth_of(self, lease: Lease, name: str) -> tuple[int, int] | None:
        for known, height, carried in reversed(lease.savepoints):
            if known == name:
                return height, carried
        return None

    def _carried(self, lease: Lease) -> int:
        return len(lease.segments[-1].carries) if lease.segments else 0


def _count(victims: list[Party]) -> str:
    return "another transaction" if len(victims) == 1 else f"{len(victims)} other transactions"
