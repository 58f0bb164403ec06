"""What is said when transactions of a test stand in each other's way, or are left behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.callsite import nearest_user_frame
from harness.errors import DatabaseUnavailable, HarnessError, IsolationError, OverlapError

if TYPE_CHECKING:
    from harness.isolation.ledger import Lease
    from harness.isolation.level import Level


def waited_too_long(lease: Lease, blocker: Lease, seconds: float) -> OverlapError:
    """Return the error for a wait for another transaction that took too long."""
    return OverlapError(
        f"waited {seconds:g} s for another transaction of the same test to end",
        where=f"waiting: {lease.flow.label}\nholding: {blocker.party}",
        why=(
            "all transactions of a test share one connection and take turns, each from its first write to its "
            "commit or rollback; the holder has written and not ended, perhaps because it waits for the other"
        ),
        remedy=(
            "commit, roll back or close the holding transaction before it waits for the other one,\n"
            'or give the test real connections: @pytest.mark.harness(isolation="database")'
        ),
    )


def connection_lost(reason: str) -> DatabaseUnavailable:
    """Return the error for the statement at which a lost connection is noticed."""
    return DatabaseUnavailable(
        "the connection to the test database was lost",
        why=reason,
        remedy="look at the server's log above; the next test connects anew, to another server if this one is gone",
    )


def rows_lost(levels: Iterable[Level]) -> DatabaseUnavailable | None:
    """Return the error for a statement in a level whose rows are gone; None if none are."""
    names = [level.name for level in levels if level.lost]
    if not names:
        return None
    return DatabaseUnavailable(
        "rows that this test relies on are gone: the connection to the test database was lost after they were written",
        where="\n".join(names),
        why="what is not committed ends with its connection; tests that share no such rows go on",
        remedy="run the tests that failed again: pytest --lf",
    )


def begun_already() -> IsolationError:
    """Return the error for work that has to be committed although a test's transaction is open."""
    return IsolationError(
        "the test's transaction has begun, so nothing can be committed around it",
        remedy="build the schema before the first statement of the test",
    )


def uncommitted(levels: Iterable[str]) -> IsolationError:
    """Return the error for levels that have written, when the shared connection has to be let go."""
    return IsolationError(
        "the connection that tests share is needed, and holds rows that are not committed",
        where="\n".join(levels),
        why="fixtures of wider scope wrote before harness knew that a test wants a database of its own",
        remedy='say it with a marker, which is known before the first test: isolation="database"',
    )


def left_open(level: Level, lease: Lease) -> IsolationError:
    """Return the error for a transaction that was neither committed nor rolled back nor closed."""
    return IsolationError(
        f"a transaction was still open at the end of {level.name}, with writes that were never committed",
        where=str(lease.party),
        why="in production its connection is lost to the pool, and its locks stay until the server gives up on it",
        remedy="close the session where it is made: with SessionLocal() as session: …, or a dependency with yield",
    )


def ended_around(level: Level, suspects: Iterable[str], error: Exception) -> IsolationError:
    """Return the error for a level whose real transaction somebody else has ended."""
    return IsolationError(
        f"the transaction around {level.name} was ended by something that harness cannot intercept",
        where="\n".join(suspects) or None,
        why=(
            "rows written before that moment may be in the database for good "
            f"({type(error).__name__}: {' '.join(str(error).split())})"
        ),
        remedy=(
            "send COMMIT and ROLLBACK through SQLAlchemy or a DBAPI cursor, not in a server-side procedure\n"
            "or through the driver's own connection,\n"
            'or give the test a database of its own: @pytest.mark.harness(isolation="database")'
        ),
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
            else 'give the test a database of its own: @pytest.mark.harness(isolation="database")'
        ),
    )
