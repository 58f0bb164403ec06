"""The one real connection of a database, shared by every engine, thread, task and event loop of the run."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.clock import now
from harness.errors import DatabaseUnavailable, IsolationError
from harness.isolation import complaints
from harness.isolation.catalogue import Catalogue
from harness.isolation.counters import Counters
from harness.isolation.implicit import commits_implicitly, temporary_table
from harness.isolation.ledger import Lease, Ledger
from harness.isolation.level import Level
from harness.isolation.moments import Moments
from harness.isolation.numbering import seeds
from harness.isolation.sequences import Sequences
from harness.isolation.statements import Classifier, Kind, Statement
from harness.isolation.turn import Waiters

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.isolation.observer import Observer

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
        self.sequences: Sequences | Counters = Sequences({})
        self.wait_seconds = WAIT_SECONDS
        #: Gives each transaction a time of its own, if that was asked for.
        self.moments: Moments | None = None
        #: How the running test wants its ids: `reset`, `distinct` or `continue`.
        self.ids = "reset"
        #: How many transactions with writes have been committed; tells a session that it may be out of date.
        self.commits = 0
        #: How many statements have written; tells which fixture has made rows.
        self.writes = 0
        #: Called before the first statement of a test or fixture: builds the schema.
        self.on_first_use: Callable[[], None] | None = None
        #: Called when the connection was lost.
        self.when_lost: Callable[[], None] = lambda: None
        #: Is told what happens on the logical connections.
        self.observer: Observer | None = None
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
        watched = () if self._physical.transactional_ddl else (commits_implicitly,)
        self.classify = Classifier(self.catalogue.writing_functions, *watched)
        self.sequences = (Counters if self._physical.dialect == "mysql" else Sequences).read(self._physical)

    def schema_changed(self) -> None:
        """Look again at the functions and constraints that matter for isolation."""
        if self._physical is not None:
            with self.lock:
                self._read_catalogue()

    def _run(self, *statements: str) -> None:
        physical = self.physical
        if self.moments is not None and any(statement.startswith("ROLLBACK") for statement in statements):
            self.moments.forget(physical)
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
        for level in self.levels[1:]:
            level.lost = level.lost or level.written
        self._drop_physical()
        self.when_lost()
        raise complaints.connection_lost(self._diagnose() or f"{type(error).__name__}: {error}".strip()) from error

    def probe(self) -> None:
        """Raise `DatabaseUnavailable` if the connection has been lost."""
        with self.lock:
            if self._physical is not None:
                self._run("SELECT 1")

    def _drop_physical(self) -> None:
        if self._physical is not None:
            self._physical.close()
        self._physical = None
        if self.moments is not None:
            self.moments.forget()
        for level in self.levels:
            level.ledger = None
            level.savepoint = None

    @property
    def written(self) -> bool:
        """Tell whether a level holds rows that are not committed."""
        return any(level.written for level in self.levels)

    def rest(self, *, disconnect: bool = False) -> None:
        """End the real transaction, in which nothing was written, so that it holds no lock; levels begin it anew.

        Args:
            disconnect: close the connection too; the next statement opens it.

        Raises:
            IsolationError: something was written.
        """
        with self.lock:
            if self.written:
                raise complaints.uncommitted(level.name for level in self.levels if level.written)
            if self._physical is None:
                return
            if disconnect:
                self._drop_physical()
                return
            if self._physical.in_transaction():
                self._run("ROLLBACK")
            for level in self.levels:
                level.ledger = level.savepoint = None

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
                raise complaints.begun_already()
            above, self.levels = self.levels[1:], self.levels[:1]
        try:
            yield
        finally:
            with self.lock:
                self.levels = [self.levels[0], *above]

    def check(self, level: Level) -> list[IsolationError]:
        """Return what is wrong with a level: something has ended the transaction around it.

        What is still open in the level is undone.
        """
        with self.lock:
            ledger = level.ledger
            if ledger is None or self._physical is None:
                return []
            try:
                self._run(f"ROLLBACK TO SAVEPOINT {ledger.segments[0].name}")
            except DatabaseUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - each driver has its own class for "no such savepoint"
                return [self._broken(level, error)]
            return []

    def _undo(self, level: Level) -> list[IsolationError]:
        ledger = level.ledger
        if ledger is None or self._physical is None:
            return []
        ledger.breaches.extend(complaints.left_open(level, lease) for lease in ledger.abandoned())
        if level.savepoint is None:
            start, end = f"ROLLBACK TO SAVEPOINT {ledger.segments[0].name}", "ROLLBACK"
        else:
            start, end = f"ROLLBACK TO SAVEPOINT {level.savepoint}", f"RELEASE SAVEPOINT {level.savepoint}"
        try:
            self._run_back(level, start, end)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - each driver has its own class for "no such savepoint"
            return [*ledger.breaches, self._broken(level, error)]
        return ledger.breaches

    def _run_back(self, level: Level, start: str, end: str) -> None:
        """Undo a level, and what a rollback leaves: sequences, temporary tables."""
        inside, after = self.sequences.put_back(level)
        try:
            self._run(start, *inside, *level.leftovers, end)
        except Exception:
            if not inside or self._physical is None:
                raise
            self.sequences = Sequences({})  # the role may not set them: from now on ids go on
            self._run(start, *level.leftovers, end)
        try:
            if after:
                self._run(*after)
        except Exception:
            if self._physical is None:
                raise
            self.sequences = Sequences({})  # as above

    def _broken(self, level: Level, error: Exception) -> IsolationError:
        """Somebody ended the outer transaction: rows may be committed for real. Start from a clean connection."""
        self._drop_physical()
        return complaints.ended_around(level, self.catalogue.suspects, error)

    def _open(self, level: Level) -> Ledger:
        if (gone := complaints.rows_lost(self.levels)) is not None:
            raise gone
        physical = self.physical
        guard = self._name()
        first = self._preamble(level)
        if not physical.in_transaction():
            self._run("BEGIN", *self.settings, *first, f"SAVEPOINT {guard}")
        else:
            below = self.levels[0]
            idle = below.ledger is not None and not below.ledger.owners and level is not below
            if idle and not any(other.opened for other in self.levels[1:]):
                self._run("COMMIT", "BEGIN", *self.settings, *first, f"SAVEPOINT {guard}")
                below.ledger = None
            else:
                level.savepoint = self._name()
                self._run(f"SAVEPOINT {level.savepoint}", *self.settings, *first, f"SAVEPOINT {guard}")
        level.ledger = Ledger(self._run, self._name, physical.aborts_on_error)
        level.ledger.start(guard)
        return level.ledger

    def _preamble(self, level: Level) -> tuple[str, ...]:
        """Return what has to be done in a level before anything else; it is undone with the level."""
        if level.commits:
            return ()
        first: tuple[str, ...] = ()
        if self.moments is not None and not any(other.opened and not other.commits for other in self.levels):
            first = self.moments.preamble
        if self.ids == "distinct" and self.physical.dialect == "sqlite":
            first += seeds(self.physical)
        return first

    def _name(self) -> str:
        return f"harness_{next(self._names)}"

    # -- statements ------------------------------------------------------------------------------------------------

    def blocker(self, lease: Lease) -> Lease | None:
        """Return the sibling transaction that `lease` has to wait for, if there is one."""
        ledger = lease.level.ledger
        return ledger.blocker(lease) if ledger is not None and ledger.owners else None

    def prepare(self, lease: Lease, statement: Statement, sql: str) -> None:
        """Set the savepoints that a statement needs. The caller holds the lock and has waited for its turn."""
        ledger = lease.level.ledger or self._open(lease.level)
        ledger.prepare(lease, statement)
        self.writes += statement.kind not in (Kind.READ, Kind.SETTING)
        if statement.inserts and not lease.detached:
            below = self.levels[: self.levels.index(lease.level)]
            self.sequences.inserting(statement.inserts, lease.level, below, self.physical, self.ids)
        if statement.kind is Kind.DDL:
            self.catalogue.changed = True
            if not self.physical.transactional_ddl and (name := temporary_table(sql)) is not None:
                lease.level.leftovers.append(f"DROP TEMPORARY TABLE IF EXISTS {name}")

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

    def turn(self, lease: Lease, can_wait: bool) -> None:
        """Wait, in a thread, until `lease` may work; the caller holds the lock.

        Raises:
            OverlapError: the wait took longer than `wait_seconds`.
        """
        deadline = now() + self.wait_seconds
        while can_wait and (blocker := self.blocker(lease)) is not None:
            left = deadline - now()
            if left <= 0:
                raise complaints.waited_too_long(lease, blocker, self.wait_seconds)
            self.waiters.wait(left)
