"""Seed data: rows made once for many tests, the sessions that make them, and the objects that tests are handed.

While a wider fixture is set up, every mapped object that becomes persistent in any session is noticed. At the end of
the set-up the sessions of this module commit, and their objects are detached with all their values loaded. A test's
own session then takes them in, so that they are ordinary objects of it; when a level ends they are given back as they
were. So nothing that a test does to a seed, in the database or in Python, reaches the next test.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.callsite import nearest_user_frame
from harness.errors import IsolationError

if TYPE_CHECKING:
    from sqlalchemy.orm import InstanceState, Session, SessionTransaction

    from harness.session.maker import Sessions
    from harness.session.memory import Memory

#: What tells that an object is, or was, a row of the database.
_BECAME_PERSISTENT = ("pending_to_persistent", "loaded_as_persistent", "detached_to_persistent")


class Seeds:
    """The sessions of wider scopes and the objects made there.

    Args:
        sessions: makes sessions.
    """

    def __init__(self, sessions: Callable[[], Sessions]) -> None:
        self._sessions = sessions
        #: Session by the node of its scope and the name of the fixture that gives it.
        self._open: dict[tuple[Any, str], Any] = {}
        #: What was made in a level, in the order in which levels were entered.
        self._memories: dict[Any, Memory] = {}

    # -- sessions --------------------------------------------------------------------------------------------------

    def session(self, node: Any, name: str, *, asynchronous: bool) -> tuple[Any, bool]:
        """Return the session of a scope, and whether it was made now. It holds all seeds made so far.

        Args:
            node: what the scope belongs to: pytest's session, package, module or class.
            name: the fixture through which users get it.
            asynchronous: whether an `AsyncSession` is wanted.
        """
        key = node, name
        made = key not in self._open
        if made:
            session = self._sessions().async_session() if asynchronous else self._sessions().session()
            _sync(session).expire_on_commit = False  # what a fixture made stays readable, also in an async test
            self._open[key] = session
        self.lend(self._open[key])
        return self._open[key], made

    def opened(self, node: Any, name: str) -> Any:
        """Return the session of a scope if there is one already, else None."""
        return self._open.get((node, name))

    def close(self, node: Any, name: str) -> None:
        """Close the session of a scope; from now on it refuses to be used, as its rows are gone."""
        from sqlalchemy import event

        opened = self._open.pop((node, name), None)
        if opened is None:  # closed by `close_all`
            return
        session = _sync(opened)
        session.close()

        def refuse(_: Session, transaction: SessionTransaction) -> None:
            transaction.close()
            raise _ended(name)

        event.listen(session, "after_transaction_create", refuse)

    def close_all(self) -> None:
        """Close all sessions: their database is left."""
        self.forget()
        for node, name in list(self._open):
            self.close(node, name)

    def lend(self, session: Any) -> None:
        """Let a session hold all seeds that no other session holds."""
        objects = [obj for memory in self._memories.values() for obj in memory.objects()]
        if not objects:
            return
        sync = _sync(session)
        begun, expire = sync.in_transaction(), sync.expire_on_commit
        sync.add_all(objects)
        if not begun:
            # Taking objects in begins a transaction, and the test may want to begin one itself. Nothing is sent.
            sync.expire_on_commit = False
            sync.commit()
            sync.expire_on_commit = expire

    def settle(self, *, detach: bool = True) -> None:
        """Commit what was made in the sessions of wider scopes, and load what is not loaded.

        Args:
            detach: whether the sessions let go of their objects; not while somebody goes on working with them.

        Raises:
            Exception: what the commit raised.
        """
        for session in self._open.values():
            sync = _sync(session)
            if not sync.in_transaction() and not any(_missing(obj) for obj in sync):
                if detach:
                    sync.expunge_all()
            elif sync is session:
                _settle(session, detach)
            elif not _on_event_loop():
                _run(session.run_sync(_settle, detach))

    # -- objects ---------------------------------------------------------------------------------------------------

    @contextmanager
    def noticing(self) -> Iterator[dict[InstanceState[Any], None]]:
        """Notice objects that become persistent in any session until the context ends."""
        from sqlalchemy import event, inspect
        from sqlalchemy.orm import Session

        noticed: dict[InstanceState[Any], None] = {}

        def notice(_: Session, instance: Any) -> None:
            noticed[inspect(instance)] = None

        for name in _BECAME_PERSISTENT:
            event.listen(Session, name, notice)
        try:
            yield noticed
        finally:
            for name in _BECAME_PERSISTENT:
                event.remove(Session, name, notice)

    def keep(self, level: Any, noticed: dict[InstanceState[Any], None]) -> None:
        """Remember how the objects look that were noticed in a level, unless it is known already."""
        from harness.session.memory import Memory

        memory, own = Memory(), [_sync(session) for session in self._open.values()]
        for state in noticed:
            if not self._known(state):
                memory.add((state,), home=state.session if state.session not in own else None)
        if len(memory):
            self._memories.setdefault(level, Memory()).absorb(memory)

    def _known(self, state: InstanceState[Any]) -> bool:
        latest = (memory for memory in reversed(self._memories.values()) if state in memory.states)
        return any(memory.knows(state) for memory in itertools.islice(latest, 1))

    def drop(self, level: Any) -> None:
        """Forget the objects of a level that has ended."""
        self._memories.pop(level, None)

    def mark(self) -> Callable[[], None]:
        """Return a function that makes the objects look as they do now, except for those that a test's session holds.

        The rows are not its business, nor are those objects: that session is put back itself.
        """
        from harness.session.memory import Memory

        memory = Memory()
        for known in self._memories.values():
            memory.absorb(known.untaken())

        def put_back() -> None:
            for home in memory.homes():
                if home.in_transaction():
                    home.rollback()
            memory.restore()

        return put_back

    def forget(self) -> None:
        """After any level has ended: sessions and objects of the levels below forget what they met in it."""
        for session in self._open.values():
            # Not awaited where it is an asynchronous one: closing the inner session returns its connection.
            _sync(session).close()
        seen: set[InstanceState[Any]] = set()
        for memory in reversed(self._memories.values()):
            for home in memory.homes():
                if home.in_transaction():
                    home.rollback()  # of a transaction that began in what has ended, and may have failed there
            memory.restore(except_for=seen)
            seen |= memory.states


def _sync(session: Any) -> Session:
    found: Session = getattr(session, "sync_session", session)
    return found


def _settle(session: Session, detach: bool) -> None:
    session.commit()
    for obj in list(session):
        if missing := _missing(obj):
            session.refresh(obj, list(missing))
    if detach:
        session.close()
    elif session.in_transaction():
        session.commit()  # of what was read


def _missing(obj: Any) -> set[str]:
    """Return the columns of an object that a fixture would have to wait for, such as a server's default."""
    from sqlalchemy import inspect

    state = inspect(obj)
    return set(state.expired_attributes.intersection(state.mapper.column_attrs.keys()))


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run(coroutine: Any) -> Any:
    """Run something asynchronous between fixtures, where no loop is running; the test's own loop is left alone."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def _ended(name: str) -> IsolationError:
    site = nearest_user_frame()
    return IsolationError(
        f"{name} was used after its scope had ended",
        where=str(site) if site else None,
        why="what was made in it has been rolled back with the scope",
        remedy="use db_session in a test, or the session of a wider scope: session_db_session",
    )
