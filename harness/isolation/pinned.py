"""The one real connection of a database, shared by every engine, thread, task and event loop of the run."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.callsite import nearest_user_frame
from harness.clock import now
from harness.errors import DatabaseUnavailable, HarnessError, IsolationError, OverlapError
from harness.isolation.catalogue import Catalogue
from harness.isolation.ledger import Lease, Ledger
from harness.isolation.level import Level
from harness.isolation.sequences import Sequences, put_back
from harness.isolation.statements import Classifier, Kind, Statement
from harness.isolation.turn import Waiters

if TYPE_CHECKING:
    from harness.database.drivers import Physical

#: Seconds a transaction waits for a sibling's to end. Longer than any sane test transaction, far below CI timeouts.
WAIT_SECONDS = 10.0


class Pinned:
    """Levels of transactions on one real connection.

    Args:
        connect: opens the real connection; called at the first statement, never earlier.
        diagnose: says why the connection was lost, for the error message (a dead container's last log lines).
    """

    def __init__(self, connect: Callable[[], Physical], diagnose: Callable[[], str | None] = lambda: None) -> None:
        self._connect = connect
        self._diagnose = diagnose
        self._physical: Physical | None = None
        self._names = itertools.count(1)
        self.lock = threading.RLock()
        self.waiters = Waiters(self.lock)
        self.levels: list[Level] = [Level("the run", commits=True)]
        self.catalogue = Catalogue()
        self.classify = Classifier()
        self.sequences = Sequences({})
        self.wait_seconds = WAIT_SECONDS
        #: How many transactions with writes have been committed; tells a session that it may be out of date.
        self.commits = 0
        #: Called before the first statement of a test or fixture: builds the schema.
        self.on_first_use: Callable[[], None] | None = None
        #: Settings that connect listeners of the application sent; a rollback takes them back, so they are repeated.
        self.settings: dict[str, None] = {}

    # -- the connection ------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Tell whether the real connection is open."""
        return self._physical is not None

    @property
    def physical(self) -> Physical:
        """The real connection, opened now if it was not."""
        if self._physical is None:
            with self.lock:
                if self._physical is None:
                    self._physical = self._connect()
                    self._read_catalogue()
        return self._physical

    def _read_catalogue(self) -> None:
        assert self._physical is not None
        self.catalogue = Catalogue.read(self._physical)
        self.classify = Classifier(self.catalogue.writing_functions)
        self.sequences = Sequences.read(self._physical)

    def schema_changed(self) -> None:
        """Look again at the functions and constraints that matter for isolation."""
        if self._physical is not None:
            with self.lock:
                self._read_catalogue()

    def _run(self, *statements: str) -> None:
        physical = self.physical
        try:
            physical.script(*statements)
        except Exception as error:
            self.raise_if_lost(error)
            raise

    def raise_if_lost(self, error: BaseException) -> None:
        """Explain an error that is due to a lost connection; return if the connection lives.

        Raises:
            DatabaseUnavailable: the server is gone. The connection is given up, so that the next test tries anew.
        """
        if self._physical is None or not self._physical.closed():
            return
        self._drop_physical()
        raise DatabaseUnavailable(
            "the connection to the test database was lost",
            why=self._diagnose() or f"{type(error).__name__}: {error}".strip(),
            remedy="look at the server's log above; the next test connects anew",
        ) from error

    def _drop_physical(self) -> None:
        if self._physical is not None:
            self._physical.close()
        self._physical = None
        for level in self.levels:
            level.ledger = None
            level.savepoint = None

    def close(self) -> None:
        """End all levels and close the real connection; safe to call twice."""
        with self.lock:
            for level in self.levels:
                level.ended = True
            self._drop_physical()
            self.levels = [Level("the run", commits=True)]

    # -- levels --------------------------------------------------------------------------------------------------

    @property
    def level(self) -> Level:
        """The level that statements run in now."""
        return self.levels[-1]

    def enter(self, level: Level) -> None:
        """Start a level; nothing is sent to the database until a statement runs in it."""
        with self.lock:
            self.levels.append(level)

    def leave(self, level: Level) -> list[IsolationError]:
        """End a level and undo all that happened in it; levels left open above it end too.

        Returns:
            What went wrong: rollbacks that were refused, a transaction that somebody else ended.
        """
        with self.lock:
            if level not in self.levels:
                return []
            found: list[IsolationError] = []
            while True:
                top = self.levels.pop()
                top.ended = True
                found.extend(self._undo(top))
                if top is level:
                    self.waiters.notify()
                    return found

    @contextmanager
    def committing(self) -> Iterator[None]:
        """While active, work is committed for real; only possible before anything has run in a level above."""
        with self.lock:
            if any(level.opened for level in self.levels[1:]):
                raise IsolationError(
                    "the test's transaction has begun, so nothing can be committed around it",
                    remedy="build the schema before the first statement of the test",
                )
            above, self.levels = self.levels[1:], self.levels[:1]
        try:
            yield
        finally:
            with self.lock:
                self.levels = [self.levels[0], *above]

    def _undo(self, level: Level) -> list[IsolationError]:
        ledger = level.ledger
        if ledger is None or self._physical is None:
            return []
        ledger.breaches.extend(_left_open(level, lease) for lease in ledger.abandoned())
        back = put_back(level)
        if level.savepoint is None:
            start, end = f"ROLLBACK TO SAVEPOINT {ledger.segments[0].name}", "ROLLBACK"
        else:
            start, end = f"ROLLBACK TO SAVEPOINT {level.savepoint}", f"RELEASE SAVEPOINT {level.savepoint}"
        try:
            try:
                self._run(start, *back, end)
            except Exception:
                if not back or self._physical is None:
                    raise
                self.sequences = Sequences({})  # a role that may not set them; ids go on counting then
                self._run(start, end)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - each driver has its own class for "no such savepoint"
            return [*ledger.breaches, self._broken(level, error)]
        return ledger.breaches

    def _broken(self, level: Level, error: Exception) -> IsolationError:
        """Somebody ended the outer transaction: rows may be committed for real. Start from a clean connection."""
        self._drop_physical()
        return IsolationError(
            f"the transaction around {level.name} was ended by something that harness cannot intercept",
            where="\n".join(self.catalogue.suspects) or None,
            why=(
                "rows written before that moment may be in the database for good "
                f"({type(error).__name__}: {' '.join(str(error).split())})"
            ),
            remedy=(
                "send COMMIT and ROLLBACK through SQLAlchemy or a DBAPI cursor, not in a server-side procedure\n"
                "or through the driver's own connection,\n"
                'or use @pytest.mark.harness(isolation="none") and clean up yourself'
            ),
        )

    def _open(self, level: Level) -> Ledger:
        physical = self.physical
        guard = self._name()
        if not physical.in_transaction():
            self._run("BEGIN", *self.settings, f"SAVEPOINT {guard}")
        else:
            below = self.levels[0]
            idle = below.ledger is not None and not below.ledger.owners and level is not below
            if idle and not any(other.opened for other in self.levels[1:]):
                self._run("COMMIT", "BEGIN", *self.settings, f"SAVEPOINT {guard}")
                below.ledger = None
            else:
                level.savepoint = self._name()
                self._run(f"SAVEPOINT {level.savepoint}", f"SAVEPOINT {guard}")
        level.ledger = Ledger(self._run, self._name, physical.aborts_on_error)
        level.ledger.start(guard)
        return level.ledger

    def _name(self) -> str:
        return f"harness_{next(self._names)}"

    # -- statements ------------------------------------------------------------------------------------------------

    def blocker(self, lease: Lease) -> Lease | None:
        """Return the sibling transaction that `lease` has to wait for, if there is one."""
        ledger = lease.level.ledger
        return ledger.blocker(lease) if ledger is not None and ledger.owners else None

    def prepare(self, lease: Lease, statement: Statement) -> None:
        """Set the savepoints that a statement needs. The caller holds the lock and has waited for its turn."""
        ledger = lease.level.ledger or self._open(lease.level)
        ledger.prepare(lease, statement)
        if statement.inserts and not lease.detached:
            below = self.levels[: self.levels.index(lease.level)]
            self.sequences.inserting(statement.inserts, lease.level, below, self.physical)
        if statement.kind is Kind.DDL:
            self.catalogue.changed = True

    def commit(self, lease: Lease) -> None:
        """End a transaction and keep its work, as far as its level keeps it.

        Raises:
            Exception: the driver's own IntegrityError, if a deferred constraint is violated.
        """
        with self.lock:
            ledger = lease.level.ledger
            if ledger is None or lease.level.ended:
                return
            if lease.segments and not lease.failed:
                self._check_deferred(lease, ledger)
            self.commits += bool(lease.segments)
            ledger.commit(lease)
            self._settle(lease.level)
            self.waiters.notify()

    def _check_deferred(self, lease: Lease, ledger: Ledger) -> None:
        """Check what a real COMMIT would check, while the outer transaction goes on."""
        try:
            self.catalogue.check_deferred(self.physical, self._run)
        except Exception:
            ledger.failed(lease)
            ledger.rollback(lease)
            self.waiters.notify()
            raise

    def rollback(self, lease: Lease) -> None:
        """End a transaction and undo its work.

        Raises:
            OverlapError: that would undo somebody else's later work.
        """
        with self.lock:
            ledger = lease.level.ledger
            if ledger is None or lease.level.ended:
                return
            try:
                ledger.rollback(lease)
                self._settle(lease.level)
            finally:
                self.waiters.notify()

    def _settle(self, level: Level) -> None:
        """In the bottom level, end the real transaction once nobody works in it."""
        if level.commits and level.ledger is not None and not level.ledger.owners:
            self._run("COMMIT")
            level.ledger = None
            if self.catalogue.changed:
                self._read_catalogue()

    def outside(self, sql: str) -> None:
        """Run a statement that no transaction can contain; only where nothing is isolated."""
        level = self.level
        if level.ledger is not None and not level.ledger.owners:
            self._settle(level)
        self._run(sql)

    def overlap(self, lease: Lease, blocker: Lease) -> OverlapError:
        """Return the error for a wait that took too long."""
        return OverlapError(
            f"waited {self.wait_seconds:g} s for another transaction of the same test to end",
            where=f"waiting: {lease.flow.label}\nholding: {blocker.party}",
            why=(
                "all transactions of a test share one connection and take turns, each from its first write to its "
                "commit or rollback; the holder has written and not ended, perhaps because it waits for the other"
            ),
            remedy="commit, roll back or close the holding transaction before it waits for the other one",
        )

    def turn(self, lease: Lease, can_wait: bool) -> None:
        """Wait, in a thread, until `lease` may work; the caller holds the lock.

        Raises:
            OverlapError: the wait took longer than `wait_seconds`.
        """
        deadline = now() + self.wait_seconds
        while can_wait and (blocker := self.blocker(lease)) is not None:
            left = deadline - now()
            if left <= 0:
                raise self.overlap(lease, blocker)
            self.waiters.wait(left)


def _left_open(level: Level, lease: Lease) -> IsolationError:
    """Return the error for a transaction that was neither committed nor rolled back nor closed."""
    return IsolationError(
        f"a transaction was still open at the end of {level.name}, with writes that were never committed",
        where=str(lease.party),
        why="in production its connection is lost to the pool, and its locks stay until the server gives up on it",
        remedy="close the session where it is made: with SessionLocal() as session: …, or a dependency with yield",
    )


def outside_transaction(sql: str) -> HarnessError:
    """Return the error for a statement that cannot run in any transaction."""
    words = " ".join(sql.split())
    site = nearest_user_frame()
    own = words.upper().startswith(("CREATE DATABASE", "DROP DATABASE"))
    return IsolationError(
        f"{words[:80]} cannot run inside a transaction, and every test is one",
        where=str(site) if site else None,
        why="the server refuses it there",
        remedy=(
            "delete the fixture that does this: harness provides the database"
            if own
            else 'let the test commit for real, and clean up after itself: @pytest.mark.harness(isolation="none")'
        ),
    )
