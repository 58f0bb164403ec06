"""Sessions: their birth, who uses them, how their transactions end, and what they still hold when they are closed."""

from __future__ import annotations

import sys
import weakref
from threading import get_ident
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm.attributes import instance_state

from harness.callsite import Place, current_place, outermost_place
from harness.clock import now
from harness.observe.facts import (
    Failure,
    Origin,
    Outcome,
    Phase,
    Request,
    Session,
    Transaction,
)
from harness.observe.failures import failure_of
from harness.observe.incidents import Sharing, Unflushed, Use
from harness.observe.live import CREATOR, Live, begin, end
from harness.observe.live import KEY as CONNECTION
from harness.observe.recorder import CURRENT, Recorder, current_task
from harness.observe.staleness import Suspicion
from harness.observe.tape import Tape

#: Under it a session keeps its state, among its attributes: its `info` is the application's.
KEY = "_harness"

#: How many functions of harness and SQLAlchemy, at the least, lead from the application's code to where its line is
#: looked for.
_TO_SESSION = 3
#: Looking a member up costs more than all the rest of a comparison.
_BACKGROUND = Phase.BACKGROUND
#: Coroutines in which SQLAlchemy itself runs a session's methods, in tasks of its own.
_SQLALCHEMY_TASKS = frozenset({"close", "aclose", "go"})
#: How many requests, and uses of one kind, a session remembers.
_ENOUGH = 20


_live: weakref.WeakValueDictionary[int, SessionState] = weakref.WeakValueDictionary()


def live_state(number: int) -> SessionState | None:
    """Return the state of a session that is still alive."""
    return _live.get(number)


class SessionState:
    """A live session's fact, and what is needed to go on with it."""

    __slots__ = (
        "__weakref__",
        "_request",
        "_tape",
        "_task",
        "closing",
        "committing",
        "ending",
        "fact",
        "failed",
        "just_ended",
        "open",
        "recorder",
        "session",
        "suspicions",
        "tasks",
        "unwinding",
    )

    def __init__(self, session: OrmSession, fact: Session, recorder: Recorder) -> None:
        self.session = weakref.ref(session)
        self.fact = fact
        self.recorder = recorder
        #: Transactions that are open on its connections.
        self.open: list[Transaction] = []
        #: Those that ended last: an explicit rollback after a failed flush is told only then.
        self.just_ended: list[Transaction] = []
        #: When a commit was begun that has not succeeded yet; it may flush first, and begin a transaction for that.
        self.committing: float | None = None
        #: The line that is closing it.
        self.closing: Place | None = None
        #: How its transaction is going to end, once an event has told.
        self.ending: Outcome | None = None
        #: A flush failed, and nobody has rolled back since.
        self.failed: Failure | None = None
        self.suspicions: list[Suspicion] = []
        #: Whether it is being closed because an exception is on its way.
        self.unwinding = False
        self.tasks: dict[int, weakref.ref[Any]] = {}
        self._request: Request | None = None
        self._task = 0
        self._tape: Tape | None = None

    def touch(self, request: Request, me: int, task: Any, what: str, place: Place | None) -> None:
        """Note that the session is used now."""
        if (
            self._request is request
            and self._task == me
            and request.ended is None
            and request.phase is not _BACKGROUND
            and self._tape is self.recorder.tape
        ):
            return
        self._request, self._task = request, me
        fact = self.fact
        if self._tape is not self.recorder.tape:
            self._tape = self.recorder.tape
            self._tape.sessions.append(fact)
        if request not in fact.requests:
            self._another_request(request, place)
        if task is not None:
            self._used_by(task, request, place)
        self._timely(request, me, what, place)

    def _another_request(self, request: Request, place: Place | None) -> None:
        fact = self.fact
        for other in fact.requests:
            if other.ended is None and other is not request:
                fact.overlaps.append((other, request, place))
        if len(fact.requests) < _ENOUGH:
            fact.requests[request] = place
        if fact not in request.sessions:
            request.sessions.append(fact)
        session = self.session()
        if fact.request is not request and session is not None and (session.new or session.dirty or session.deleted):
            fact.carried.append(request)

    def _used_by(self, task: Any, request: Request, place: Place | None) -> None:
        me = id(task)
        if me != request.main and _coroutine_name(task) not in _SQLALCHEMY_TASKS:
            for identity, reference in self.tasks.items():
                other = reference()
                if other is None or other is task or identity == request.main or other.done():
                    continue
                if len(self.fact.siblings) < _ENOUGH:
                    names = (_coroutine_name(other), _coroutine_name(task))
                    self.fact.siblings.append(Sharing(now(), place, request, names))
                break
        if me not in self.tasks and _coroutine_name(task) not in _SQLALCHEMY_TASKS:
            self.tasks[me] = weakref.ref(task)

    def _timely(self, request: Request, me: int, what: str, place: Place | None) -> None:
        fact = self.fact
        if fact.request is not request:
            return
        if request.ended is not None:
            if fact.main in (None, request.main) and len(fact.late) < _ENOUGH:
                fact.late.append(Use(what, now(), place, request, finished=True))
        elif (
            request.phase is Phase.BACKGROUND
            and fact.phase is not Phase.BACKGROUND
            and not fact.after_response
            and len(fact.background) < _ENOUGH
        ):
            fact.background.append(Use(what, now(), place, request, root=outermost_place()))


def _coroutine_name(task: Any) -> str:
    return str(getattr(task.get_coro(), "__qualname__", "")).rpartition(".")[2]


class Sessions:
    """The listeners."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._count = 0

    def born(self, session: OrmSession) -> None:
        """A session was made."""
        request = CURRENT.get()
        place = current_place(_TO_SESSION)
        task = current_task()
        self._count += 1
        fact = Session(
            number=self._count,
            asynchronous=False,
            origin=self._recorder.origin(place),
            born=now(),
            place=place,
            request=request,
            phase=request.phase if request is not None else None,
            after_response=request is not None and request.answering is not None,
            main=id(task) if task is not None else None,
            expires_on_commit=session.expire_on_commit,
        )
        vars(session)[KEY] = _live[fact.number] = SessionState(session, fact, self._recorder)

    def begin(self, session: OrmSession, transaction: SessionTransaction, conn: Connection) -> None:
        """A session has begun a transaction on a connection."""
        state: SessionState | None = vars(session).get(KEY)
        live: Live | None = conn.info.get(CONNECTION)
        if state is None or live is None or transaction.nested:
            return
        fact, request = state.fact, CURRENT.get()
        fact.asynchronous = live.fact.asynchronous
        if live.fact.origin is Origin.HARNESS:
            fact.origin = Origin.HARNESS
        begun = begin(live, request, self._recorder)
        begun.session = fact
        begun.reopened = bool(fact.closed)
        begun.committing = state.committing
        live.session, live.connection = state, weakref.ref(conn)
        live.fact.session = fact
        fact.transactions.append(begun)
        state.open.append(begun)
        state.ending, state.unwinding = None, False
        state.just_ended = []
        if request is not None:
            # A session that takes a connection begins on it at once; on one that it was given, some time later.
            taken = session.bind is conn.engine
            self._touched(state, request, "a transaction", live.fact.place if taken else current_place(_TO_SESSION))
        elif fact.request is not None and fact.request.ended is not None:
            self._used_elsewhere(state, fact.request)

    def _used_elsewhere(self, state: SessionState, request: Request) -> None:
        """A session is used where no request is known, as in a thread of the application's own, by whoever kept it."""
        place = current_place()
        if place is None or self._recorder.is_test(place[0].co_filename):
            return
        if state.fact not in self._recorder.tape.sessions:
            self._recorder.tape.sessions.append(state.fact)
        if len(state.fact.late) < _ENOUGH:
            state.fact.late.append(Use("a transaction", now(), place, request, finished=True))

    def _touched(self, state: SessionState, request: Request, what: str, place: Place | None) -> None:
        task = current_task()
        state.touch(request, id(task) if task is not None else get_ident(), task, what, place)

    def adding(self, session: OrmSession, instance: object) -> None:
        """An object was added to a session."""
        state: SessionState | None = vars(session).get(KEY)
        request = CURRENT.get()
        if state is not None and request is not None:
            place = current_place(_TO_SESSION)
            self._touched(state, request, "session.add", place)
            _added(session)[id(instance)] = place
            instance_state(instance).info[CREATOR] = request.number  # `loading.py` asks who made it

    def committing(self, session: OrmSession) -> None:
        """A session is about to commit."""
        state: SessionState | None = vars(session).get(KEY)
        if state is not None and session.get_nested_transaction() is None:
            state.committing = now()
            for transaction in state.open:
                transaction.committing = state.committing

    def committed(self, session: OrmSession) -> None:
        """A session has committed."""
        state: SessionState | None = vars(session).get(KEY)
        if state is not None and session.get_nested_transaction() is None:
            state.ending, state.committing = Outcome.COMMITTED, None

    def rolled_back(self, session: OrmSession) -> None:
        """A session's transaction was rolled back: by somebody, or by a flush that failed."""
        state: SessionState | None = vars(session).get(KEY)
        if state is not None and session.get_nested_transaction() is None:
            state.ending, state.committing = Outcome.ROLLED_BACK, None
            state.failed = None

    def soft_rolled_back(self, session: OrmSession, previous: SessionTransaction) -> None:
        """A session's transaction was rolled back; if it is unusable now, a flush failed and nobody has answered."""
        state: SessionState | None = vars(session).get(KEY)
        if state is None:
            return
        if not session.is_active:
            state.ending = None  # what the flush itself rolled back, nobody has asked for
            error = sys.exc_info()[1]
            state.failed = failure_of(error) if error is not None else None
            if state.failed is not None and state.failed.place is None:
                state.failed.place = current_place()
            for transaction in state.open:
                transaction.failed = state.failed
            return
        state.failed = None
        if previous.parent is None:
            state.ending = Outcome.ROLLED_BACK
            for transaction in (*state.open, *state.just_ended):
                transaction.failed = None
                if transaction.outcome is Outcome.DISCARDED:
                    transaction.outcome = Outcome.ROLLED_BACK

    def ended(self, session: OrmSession, transaction: SessionTransaction) -> None:
        """A session's transaction is over."""
        state: SessionState | None = vars(session).get(KEY)
        if state is None:
            return
        if transaction.parent is not None:
            if session.is_active:
                self._recovered(state)
            return
        outcome = state.ending or Outcome.DISCARDED
        for known in state.open:
            if outcome is not Outcome.DISCARDED:
                known.failed = None
            elif state.failed is not None:
                known.failed = state.failed
            known.unwinding = state.unwinding
            end(known, outcome, state.closing)
        state.just_ended, state.open = state.open, []
        state.ending = state.failed = state.committing = state.closing = None

    def _recovered(self, state: SessionState) -> None:
        state.failed = None
        for transaction in state.open:
            transaction.failed = None

    def closing(self, session: OrmSession) -> None:
        """A session is about to be closed, and forgets what it has not sent."""
        state: SessionState | None = vars(session).get(KEY)
        if state is None:
            return
        request = CURRENT.get()
        state.unwinding = state.unwinding or sys.exc_info()[1] is not None
        place = None
        if request is not None:
            note_unflushed(session, state, request)
            place = current_place(_TO_SESSION)
        state.closing = place if state.open else None
        state.fact.closed.append((now(), place))
        del state.fact.closed[:-_ENOUGH]

    def leaving(self, session: Any, kind: type[BaseException] | None = None, *_: Any) -> None:
        """A block `async with session` is left; the session is closed in another task, which sees no exception."""
        state: SessionState | None = vars(session.sync_session).get(KEY)
        if state is not None:
            state.unwinding = kind is not None


def note_unflushed(session: OrmSession, state: SessionState, request: Request) -> None:
    """Note what a session holds and has never sent."""
    added = vars(session).pop(_ADDED, None) or {}
    for instance in session.new:
        _unflushed(state, "add", instance, request, place=added.get(id(instance)))
    for instance in session.deleted:
        _unflushed(state, "delete", instance, request)
    for instance in session.dirty:
        if session.is_modified(instance):
            changed = tuple(attribute.key for attribute in inspect(instance).attrs if attribute.history.has_changes())
            _unflushed(state, "change", instance, request, attributes=changed)


def _unflushed(
    state: SessionState,
    change: str,
    instance: object,
    request: Request,
    *,
    attributes: tuple[str, ...] = (),
    place: Place | None = None,
) -> None:
    if len(state.fact.unflushed) < _ENOUGH:
        model = type(instance).__name__
        state.fact.unflushed.append(Unflushed(change, model, now(), request, attributes, place))


_ADDED = "_harness_added"


def _added(session: OrmSession) -> dict[int, Place | None]:
    places: dict[int, Place | None] = vars(session).setdefault(_ADDED, {})
    return places
