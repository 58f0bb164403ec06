"""Which session factories use now: the test's, or that of the wider fixture that is being set up.

Every owner of sessions (a test, or a fixture's scope) has one place here, and at most one session of each kind in it.
`db_session` and `async_db_session` give the same ones, so that what a factory makes is attached to the session that
the test holds. When its owner ends, a place is cleared: no object of one test reaches the next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import FactoryError
from harness.factories.guests import Guest, accepted

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from harness.ext_asyncio import AsyncSession

#: The sessions that the outermost factory call has used so far; None outside of a call.
_used: ContextVar[list[Any] | None] = ContextVar("harness_factory_sessions", default=None)
#: The session of the awaited call that is running.
_awaited: ContextVar[AsyncSession | None] = ContextVar("harness_awaited_session", default=None)


@dataclass(slots=True)
class Place:
    """The sessions of one owner."""

    prefers_async: bool = False
    #: Gives the sessions of a fixture's scope, which are not this desk's to commit and close.
    given: Callable[[bool], Any] | None = None
    sync: Any = None
    asynchronous: Any = None
    own: list[Any] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    assigned: dict[type, Any] = field(default_factory=dict)
    #: Sessions on one of several databases, by its name and whether they are asynchronous.
    named: dict[tuple[str, bool], Any] = field(default_factory=dict)
    #: Sessions with objects that somebody still completes.
    unfinished: list[Any] = field(default_factory=list)


class Desk:
    """The sessions of a run's factories.

    Args:
        make: makes a session of the test's own, asynchronous or not.
        captured: tells whether an engine is isolated.
    """

    def __init__(self, make: Callable[[bool], Any], captured: Callable[[Engine], bool]) -> None:
        self._make = make
        self._captured = captured
        self._places: dict[Hashable, Place] = {}
        self._owners: list[Hashable] = []

    # -- owners ----------------------------------------------------------------------------------------------------

    def begin(self, owner: Hashable, *, prefers_async: bool) -> None:
        """Let a test own the sessions from now on.

        Args:
            owner: the test.
            prefers_async: whether an object shall be attached to the test's asynchronous session.
        """
        self._places[owner] = Place(prefers_async)
        self._owners.append(owner)

    @contextmanager
    def within(self, owner: Hashable, given: Callable[[bool], Any]) -> Iterator[None]:
        """While a fixture of a wider scope is set up, what factories make belongs to that scope.

        Args:
            owner: what the scope belongs to.
            given: returns the scope's session, asynchronous or not; whoever gives it commits and closes it.
        """
        self._places.setdefault(owner, Place()).given = given
        self._owners.append(owner)
        try:
            yield
        finally:
            self._owners.remove(owner)

    def end(self, owner: Hashable) -> None:
        """Close the sessions of an owner, and take what its factories made out of sessions that others go on using."""
        if owner in self._owners:
            self._owners.remove(owner)
        place = self._places.pop(owner, None)
        if place is None:
            return
        for guest in place.guests:
            guest.leave()
        for session in place.own:
            session.close()

    def _place(self) -> Place:
        if not self._owners:
            raise FactoryError(
                "a factory was called outside of a test",
                why="what it makes is stored through the session of the test that is running, and none is",
                remedy="call it in a test or in a fixture; .build() makes an object without storing it",
            )
        return self._places[self._owners[-1]]

    @property
    def open(self) -> bool:
        """Tell whether a test is running."""
        return bool(self._owners)

    # -- sessions --------------------------------------------------------------------------------------------------

    def session(self) -> Session:
        """Return the session of a plain call: the test's own, or the one inside its asynchronous session.

        Raises:
            FactoryError: no test is running.
        """
        place = self._place()
        if (awaited := _awaited.get()) is not None:
            return awaited.sync_session
        if place.sync is not None:
            return place.sync  # type: ignore[no-any-return]  # a Session
        if place.asynchronous is not None or place.prefers_async:
            return self.async_session().sync_session
        return self.sync_session()

    def sync_session(self) -> Session:
        """Return the test's `Session`, made now if there is none."""
        place = self._place()
        if place.sync is None:
            place.sync = self._made(place, asynchronous=False)
        return place.sync  # type: ignore[no-any-return]  # a Session

    def async_session(self) -> AsyncSession:
        """Return the test's `AsyncSession`, made now if there is none."""
        place = self._place()
        if place.asynchronous is None:
            place.asynchronous = self._made(place, asynchronous=True)
        return place.asynchronous  # type: ignore[no-any-return]  # an AsyncSession

    def named_session(self, name: str, *, asynchronous: bool, make: Callable[[], Any]) -> Any:
        """Return the test's session on one database, made now if there is none, and closed with the test."""
        place, key = self._place(), (name, asynchronous)
        if key not in place.named:
            place.named[key] = session = make()
            place.own.append(session.sync_session if asynchronous else session)
        return place.named[key]

    def _made(self, place: Place, *, asynchronous: bool) -> Any:
        if place.given is not None:
            return place.given(asynchronous)
        session = self._make(asynchronous)
        place.own.append(session.sync_session if asynchronous else session)
        return session

    def awaited_session(self) -> AsyncSession | None:
        """Return the session of an awaited call; None if the test has only a synchronous one, which serves as well."""
        place = self._place()
        return None if place.asynchronous is None and place.sync is not None else self.async_session()

    @staticmethod
    @contextmanager
    def awaiting(session: AsyncSession) -> Iterator[None]:
        """While active, factories use the session inside this one."""
        token = _awaited.set(session)
        try:
            yield
        finally:
            _awaited.reset(token)

    def adopt(self, session: Any) -> None:
        """Use a session that a fixture of the user's has made under the name of harness's own."""
        from sqlalchemy.orm import Session, scoped_session

        from harness.ext_asyncio import AsyncSession

        if not self.open:
            return
        if isinstance(session, AsyncSession):
            self._place().asynchronous = session
        elif isinstance(session, (Session, scoped_session)):
            self._place().sync = session

    def assign(self, factories: tuple[type, ...], session: Any | None) -> None:
        """Let factories use another session for the rest of the test; the test's own if that is None."""
        chosen = getattr(session, "sync_session", session)
        self._place().assigned.update(dict.fromkeys(factories or (object,), chosen or self.session()))

    def owns(self, session: Any) -> bool:
        """Tell whether a session is one of those that stand in for one that nobody named."""
        return session is not None and any(
            session is known
            for place in self._places.values()
            for known in (place.sync, getattr(place.asynchronous, "sync_session", None), *place.own)
        )

    def session_for(self, factory: type, named: Any) -> Any:
        """Return the session of a factory.

        Args:
            factory: the factory's class.
            named: the session that the factory names, if it does.

        Raises:
            FactoryError: it names something that is not a session, or no test is running and it names none.
        """
        place = self._place() if self._owners else Place()
        chosen = next((place.assigned[cls] for cls in factory.__mro__ if cls in place.assigned), None)
        if chosen is None and named is not None and accepted(named, factory, self._captured):
            chosen = named
        if chosen is None:
            if _used.get() is None and not self._owners:
                return None
            chosen = self.session()
        elif not self.owns(chosen):
            self._welcome(place, chosen)
        self._note(chosen)
        return chosen

    @staticmethod
    def _welcome(place: Place, session: Any) -> None:
        guest = Guest(session)
        if not any(guest.session is known.session for known in place.guests):
            place.guests.append(guest)

    @staticmethod
    def _note(session: Any) -> None:
        used = _used.get()
        if used is not None and not any(session is known for known in used):
            used.append(session)

    # -- calls -----------------------------------------------------------------------------------------------------

    @contextmanager
    def call(self, *, completed: bool = True) -> Iterator[None]:
        """Run a factory; what it has made is sent to the database when the outermost one is done.

        Not earlier, as what comes after an object's generation may be needed to complete it.

        Args:
            completed: False if somebody else completes the object later; it is then sent before the test's function.
        """
        if _used.get() is not None:
            yield
            return
        used: list[Any] = []
        token = _used.set(used)
        try:
            with without_greenlet():
                yield
                for session in used:
                    if completed:
                        session.flush()
                    elif self._owners:
                        self._place().unfinished.append(session)
        finally:
            _used.reset(token)

    def finish(self) -> None:
        """Send to the database what was completed meanwhile."""
        if self._owners:
            place = self._place()
            waiting, place.unfinished = place.unfinished, []
            with without_greenlet():
                for session in waiting:
                    session.flush()


@contextmanager
def without_greenlet() -> Iterator[None]:
    """Let the session inside an AsyncSession be used in an ordinary call, unless the call comes from `run_sync`."""
    import sys

    from harness.isolation.asynchronous import in_greenlet, synchronously

    if sys.modules.get("greenlet") is not None and in_greenlet():
        yield
        return
    with synchronously():
        yield


# -- the desk of the run that is active --------------------------------------------------------------------------------

_open: list[Desk] = []


@contextmanager
def opened(desk: Desk) -> Iterator[None]:
    """Let `current_desk` return this one."""
    _open.append(desk)
    try:
        yield
    finally:
        _open.remove(desk)


def current_desk() -> Desk:
    """Return the desk of the run that is active.

    Raises:
        FactoryError: there is none.
    """
    if not _open:
        raise FactoryError(
            "harness is not active, so there is no test session to make something in",
            remedy="run pytest with -p harness, or set an option of it",
        )
    return _open[-1]
