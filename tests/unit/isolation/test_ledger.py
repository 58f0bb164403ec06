"""The books of one connection, read from the control statements they send."""

from __future__ import annotations

import itertools

import pytest

from harness.errors import OverlapError
from harness.isolation.flow import Flow
from harness.isolation.ledger import Lease, Ledger
from harness.isolation.level import Level
from harness.isolation.statements import classify

READ, WRITE = classify("SELECT 1"), classify("INSERT INTO t VALUES (1)")


class Books:
    """A ledger on a connection that only records; one entry of `sent` is one round trip."""

    def __init__(self, aborts: bool = False) -> None:
        self.sent: list[tuple[str, ...]] = []
        names = itertools.count(1)
        self.level = Level("the test")
        self.ledger = Ledger(self.run, lambda: f"s{next(names)}", aborts)
        self.ledger.start("guard")

    def run(self, *statements: str) -> None:
        """Record one round trip."""
        self.sent.append(statements)

    def lease(self, label: str = "the test", parent: Flow | None = None) -> Lease:
        """A transaction of a flow of its own."""
        lease = Lease(self.level)
        lease.flow = Flow(label, parent)
        return lease

    def write(self, lease: Lease) -> None:
        """Let a transaction write."""
        self.ledger.prepare(lease, WRITE)

    def take(self) -> list[tuple[str, ...]]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


both = pytest.mark.parametrize("aborts", [False, True], ids=["sqlite", "postgres"])


@both
def test_a_transaction_that_only_reads_sends_nothing(aborts: bool) -> None:
    """No savepoint at its beginning, none at its end."""
    books = Books(aborts)
    lease = books.lease()
    books.ledger.prepare(lease, READ)
    books.ledger.commit(lease)
    books.ledger.prepare(lease, READ)
    books.ledger.rollback(lease)

    assert [] == books.take()


@both
def test_the_first_writer_adopts_the_guard(aborts: bool) -> None:
    """The savepoint that is there already is its own from now on."""
    books = Books(aborts)
    lease = books.lease()
    books.write(lease)
    books.write(lease)

    assert [] == books.take()
    assert [lease] == books.ledger.owners


@both
def test_a_commit_is_one_round_trip(aborts: bool) -> None:
    """Released, and a fresh guard behind it."""
    books = Books(aborts)
    lease = books.lease()
    books.write(lease)
    books.ledger.commit(lease)

    assert [("RELEASE SAVEPOINT guard", "SAVEPOINT guard")] == books.take()
    assert [] == books.ledger.owners


@both
def test_a_rollback_is_one_round_trip(aborts: bool) -> None:
    """Rolled back to the guard, which is clean again."""
    books = Books(aborts)
    lease = books.lease()
    books.write(lease)
    books.ledger.rollback(lease)

    assert [("ROLLBACK TO SAVEPOINT guard",)] == books.take()
    assert books.ledger.segments[-1].clean


@both
def test_an_inner_writer_gets_a_savepoint_of_its_own(aborts: bool) -> None:
    """And its rollback undoes its own work only."""
    books = Books(aborts)
    outer, inner = books.lease(), books.lease("a request")
    books.write(outer)
    books.write(inner)
    books.ledger.rollback(inner)

    assert [("SAVEPOINT s1",), ("ROLLBACK TO SAVEPOINT s1",)] == books.take()


@both
def test_an_inner_commit_is_folded_into_the_outer_transaction(aborts: bool) -> None:
    """And the outer commit keeps both."""
    books = Books(aborts)
    outer, inner = books.lease(), books.lease("a request")
    books.write(outer)
    books.write(inner)
    books.ledger.commit(inner)
    assert [("SAVEPOINT s1",), ("RELEASE SAVEPOINT s1",)] == books.take()

    books.ledger.commit(outer)
    assert [("RELEASE SAVEPOINT guard", "SAVEPOINT guard")] == books.take()


@both
def test_a_rollback_of_an_outer_transaction_that_would_undo_an_inner_commit_is_refused(aborts: bool) -> None:
    """The error names both parties and the remedy, nothing is sent, and the breach is remembered."""
    books = Books(aborts)
    outer, inner = books.lease("the outer"), books.lease("the inner")
    books.write(outer)
    books.write(inner)
    books.ledger.commit(inner)
    books.take()
    with pytest.raises(OverlapError) as caught:
        books.ledger.rollback(outer)

    assert [] == books.take()
    assert [caught.value] == books.ledger.breaches
    assert "rolled back: the outer (" in str(caught.value)
    assert "would be lost: the inner (" in str(caught.value)
    assert "fix" in str(caught.value)
    assert [] == books.ledger.owners


def test_at_the_end_of_the_test_every_rollback_is_allowed() -> None:
    """What is rolled back then would be undone anyway."""
    books = Books()
    outer, inner = books.lease(), books.lease()
    books.write(outer)
    books.write(inner)
    books.ledger.commit(inner)
    books.ledger.closing = True
    books.ledger.rollback(outer)

    assert [] == books.ledger.breaches


def test_an_outer_commit_below_an_open_inner_one_is_sealed() -> None:
    """It can no longer be told from what is above it; the inner rollback still undoes the inner work alone."""
    books = Books()
    outer, inner = books.lease("outer"), books.lease("inner")
    books.write(outer)
    books.write(inner)
    books.take()
    books.ledger.commit(outer)
    assert [] == books.take()

    books.ledger.rollback(inner)
    assert [("ROLLBACK TO SAVEPOINT s1",)] == books.take()


def test_commits_in_any_order_end_with_one_guard() -> None:
    """The stack is as short as before."""
    books = Books()
    first, second, third = books.lease(), books.lease(), books.lease()
    for lease in (first, second, third):
        books.write(lease)
    for lease in (second, first, third):
        books.ledger.commit(lease)

    assert 1 == len(books.ledger.segments)
    assert books.ledger.segments[0].clean
    assert [] == books.ledger.owners


def test_siblings_wait_and_relatives_do_not() -> None:
    """A sibling's open transaction blocks; an ancestor's, a descendant's, or that of a flow that has ended does not."""
    books = Books()
    root = Flow("the test")
    first, sibling = books.lease("one", root), books.lease("two", root)
    child = books.lease("child", first.flow)
    books.write(first)

    assert first is books.ledger.blocker(sibling)
    assert None is books.ledger.blocker(child)
    assert None is books.ledger.blocker(first)
    first.flow.ended = True
    assert None is books.ledger.blocker(sibling)


def test_a_read_above_open_work_gets_a_guard_on_postgresql_only() -> None:
    """There, a read that fails would abort the writer's transaction."""
    for aborts, sent in ((True, [("SAVEPOINT s1",)]), (False, [])):
        books = Books(aborts)
        books.write(books.lease())
        books.ledger.prepare(books.lease(), READ)

        assert sent == books.take()


def test_a_failed_transaction_cannot_commit() -> None:
    """On PostgreSQL, COMMIT of an aborted transaction rolls back."""
    books = Books(aborts=True)
    lease = books.lease()
    books.write(lease)
    books.ledger.failed(lease)
    books.ledger.commit(lease)

    assert [("ROLLBACK TO SAVEPOINT guard",)] == books.take()


def test_a_failed_read_is_healed_by_its_rollback() -> None:
    """The guard is newer than the last committed work, so nothing is lost."""
    books = Books(aborts=True)
    lease = books.lease()
    books.ledger.prepare(lease, READ)
    books.ledger.failed(lease)
    books.ledger.rollback(lease)

    assert [("ROLLBACK TO SAVEPOINT guard",)] == books.take()
