"""Tapes written by hand: a test tells what happened, in order, and gets the tape that the listeners would have made.

    story = Story()
    post = story.request("POST /items")
    db = story.session(post, at="app/db.py:8 get_db")
    story.sql(db, "INSERT INTO items (name) VALUES (?)", at="app/api.py:18 create_item")
    story.respond(post, 201)
    story.close(db, at="app/db.py:10 get_db")
    story.end(post)

    findings = list(detect(story.tape, VERSIONS))

The clock advances by a millisecond with each event. What a method returns is the plain fact: change it as you need.
A place is written `path:line function`.
"""

from __future__ import annotations

from functools import lru_cache
from inspect import CO_GENERATOR
from types import CodeType
from typing import Any

from harness.callsite import CallSite, Place, site_of
from harness.detectors.finding import Finding
from harness.detectors.versions import Versions
from harness.observe.facts import (
    Checkout,
    Failure,
    Origin,
    Outcome,
    Phase,
    Request,
    Session,
    Statement,
    Transaction,
)
from harness.observe.incidents import ExternalCall, LazyLoad, Unflushed, Use
from harness.observe.tape import Tape

#: What most tests judge for: newest FastAPI and SQLAlchemy.
VERSIONS = Versions(fastapi=(0, 165, 0), sqlalchemy=(2, 1, 9))


@lru_cache
def _code(path: str, function: str, kind: str) -> CodeType:
    name = function.rpartition(".")[2]
    code = compile("", path, "exec").replace(co_name=name, co_qualname=function)
    return code.replace(co_flags=code.co_flags | CO_GENERATOR) if kind == "generator" else code


def place(text: str) -> Place:
    """Return the place that `app/api.py:18 create_item` writes, or `app/db.py:9 get_db generator`."""
    where, _, called = text.partition(" ")
    path, _, line = where.rpartition(":")
    function, _, kind = called.partition(" ")
    return _code(path, function or "<module>", kind), int(line)


def at(text: str) -> CallSite:
    """Return the place that `app/api.py:18 create_item` writes, as findings tell it."""
    return site_of(*place(text))


def _place(text: str | None) -> Place | None:
    return place(text) if text is not None else None


def told(findings: list[Finding]) -> list[str]:
    """Return each finding as one line: code, message and place."""
    return [f"{finding.rule.code} {finding.message} @ {finding.site}" for finding in findings]


def shown(finding: Finding) -> list[str]:
    """Return a finding's evidence, one piece a line."""
    return [f"{piece.text} @ {piece.site}" if piece.site else piece.text for piece in finding.evidence]


def failure(name: str = "sqlalchemy.exc.IntegrityError", at: str | None = None, **others: Any) -> Failure:
    """Return an exception; one of SQLAlchemy's comes from the database."""
    return Failure(name, database=name.startswith("sqlalchemy."), place=_place(at), **others)


class Story:
    """Writes one tape, event by event."""

    def __init__(self, test: str = "tests/test_items.py::test_create") -> None:
        self.tape = Tape(test)
        self._milliseconds = 0
        self._requests = 0
        self._sessions = 0

    def tick(self) -> float:
        """Let a millisecond pass, and return the time."""
        self._milliseconds += 1
        return self._milliseconds / 1000

    # Requests ---------------------------------------------------------------------------------------------------------

    def request(
        self, line: str = "POST /items", *, endpoint: str = "app/api.py:15 create_item", coroutine: bool = False
    ) -> Request:
        """Begin a request; it is resolving its dependencies. Each request is a task of its own."""
        self._requests += 1
        method, path = line.split()
        request = Request(
            self._requests,
            "websocket" if method == "WS" else "http",
            method,
            path,
            self.tick(),
            main=self._requests,
            route=path,
            endpoint=at(endpoint),
            coroutine=coroutine,
        )
        request.phases.append((request.phase, request.began))
        self.tape.requests.append(request)
        return request

    def phase(self, request: Request, phase: Phase) -> None:
        """Let a request go on to its next phase."""
        request.phase = phase
        request.phases.append((phase, self.tick()))

    def respond(self, request: Request, status: int = 200) -> None:
        """Send the whole response; what follows is the teardown, unless `phase` says that it is background work."""
        request.status = status
        request.answering = self.tick()
        request.answered = self.tick()
        self.phase(request, Phase.TEARDOWN)

    def fail(self, request: Request, failure: Failure) -> None:
        """Let an exception leave the endpoint. `respond` tells what the client got."""
        request.endpoint_error = failure
        request.endpoint_error_at = self.tick()

    def end(self, request: Request, error: Failure | None = None) -> None:
        """Let the application return, or an exception leave it."""
        request.error = error
        request.ended = self.tick()

    # Sessions and connections -----------------------------------------------------------------------------------------

    def session(
        self,
        request: Request | None,
        *,
        at: str = "app/db.py:8 get_db",
        origin: Origin = Origin.APPLICATION,
        asynchronous: bool = False,
        task: int | None = None,
    ) -> Session:
        """Make a session, in a request or outside of all."""
        self._sessions += 1
        session = Session(
            self._sessions,
            asynchronous,
            origin,
            self.tick(),
            place(at),
            request,
            request.phase if request is not None else None,
            request is not None and request.answering is not None,
            task if task is not None or request is None else request.main,
        )
        self.tape.sessions.append(session)
        if request is not None:
            request.sessions.append(session)
        return session

    def checkout(
        self,
        request: Request | None,
        *,
        at: str = "app/core.py:5 save",
        origin: Origin = Origin.APPLICATION,
        pool: int = 1,
        driver: str = "postgresql+psycopg",
        asynchronous: bool = False,
        session: Session | None = None,
    ) -> Checkout:
        """Take a connection from a pool, as `engine.connect()` does."""
        checkout = Checkout(
            pool,
            driver,
            asynchronous,
            self.tick(),
            place(at),
            request,
            request.phase if request is not None else None,
            origin,
            session=session,
        )
        self.tape.checkouts.append(checkout)
        if request is not None:
            request.checkouts.append(checkout)
        return checkout

    def begin(
        self, who: Session | Checkout, *, at: str = "app/api.py:16 create_item", during: Request | None = None
    ) -> Transaction:
        """Begin a transaction; a session takes a connection for it."""
        request = during or who.request
        if isinstance(who, Session):
            session: Session | None = who
            checkout = self.checkout(
                request,
                at=at,
                origin=who.origin,
                session=who,
                asynchronous=who.asynchronous,
                driver="postgresql+asyncpg" if who.asynchronous else "postgresql+psycopg",
            )
        else:
            session, checkout = who.session, who
        transaction = Transaction(
            checkout,
            self.tick(),
            place(at),
            request,
            request.phase if request is not None else None,
            session,
            reopened=session is not None and bool(session.closed),
        )
        checkout.transactions.append(transaction)
        self.tape.transactions.append(transaction)
        if session is not None:
            session.transactions.append(transaction)
            self._used(session, request, at)
        return transaction

    def sql(
        self,
        who: Session | Checkout,
        sql: str,
        *,
        at: str = "app/api.py:18 create_item",
        during: Request | None = None,
        task: int | None = None,
        rows: int = 1,
        loaded: LazyLoad | None = None,
        fails: bool = False,
    ) -> Statement:
        """Send a statement; a transaction is begun for it if none is open. One that fails does not come back."""
        transaction = self._open(who) or self.begin(who, at=at, during=during)
        request = during or who.request
        statement = Statement(
            sql,
            self.tick(),
            place(at),
            request,
            request.phase if request is not None else None,
            transaction.checkout,
            task or (request.main if request is not None else None) or 1,
            rows=rows,
            seconds=None if fails else 0.001,
            loaded=loaded,
        )
        statement.write = statement.shape.changes_rows and rows != 0 and not fails
        transaction.statements.append(statement)
        transaction.checkout.statements.append(statement)
        self.tape.statements += 1
        self.tape.seconds += 0.001
        if request is not None:
            request.statements.append(statement)
            if isinstance(who, Session):
                self._used(who, request, at)
        return statement

    def commit(self, who: Session | Checkout, *, at: str | None = "app/api.py:20 create_item") -> None:
        """Commit the open transaction. A session gives its connection back."""
        self._end(who, Outcome.COMMITTED, at)

    def rollback(self, who: Session | Checkout, *, at: str | None = "app/api.py:20 create_item") -> None:
        """Roll back the open transaction, as somebody asked. A session gives its connection back."""
        self._end(who, Outcome.ROLLED_BACK, at)

    def fail_commit(self, who: Session | Checkout, *, at: str | None = "app/api.py:20 create_item") -> None:
        """Begin a commit that fails, and roll back."""
        transaction = self._open(who)
        assert transaction is not None, "no transaction is open"
        transaction.committing = self.tick()
        self._end(who, Outcome.ROLLED_BACK, at)

    def collect(self, checkout: Checkout) -> None:
        """Let garbage collection return a connection."""
        if self._open(checkout) is not None:
            self._end(checkout, Outcome.DISCARDED, None)
        checkout.returned, checkout.collected = self.tick(), True

    def close(
        self, who: Session | Checkout, *, at: str | None = "app/db.py:10 get_db", unwinding: bool = False
    ) -> None:
        """Close a session, or return a connection: what was not committed is discarded.

        It is unwinding if an exception is on its way through the code.
        """
        transaction = self._open(who)
        if transaction is not None:
            transaction.unwinding = unwinding
            self._end(who, Outcome.DISCARDED, at)
        if isinstance(who, Session):
            who.closed.append((self.tick(), _place(at)))
        else:
            who.returned = self.tick()

    def _used(self, session: Session, request: Request | None, at: str) -> None:
        if request is not None:
            session.requests.setdefault(request, place(at))
            if session not in request.sessions:
                request.sessions.append(session)

    def _open(self, who: Session | Checkout) -> Transaction | None:
        last = who.transactions[-1] if who.transactions else None
        return last if last is not None and last.outcome is Outcome.OPEN else None

    def _end(self, who: Session | Checkout, outcome: Outcome, at: str | None) -> None:
        transaction = self._open(who)
        assert transaction is not None, "no transaction is open"
        running = transaction.request
        if running is not None and running.ended is not None:
            running = None
        now = self.tick()
        if outcome is Outcome.COMMITTED:
            transaction.committing = now
        transaction.outcome = outcome
        transaction.ended = now
        transaction.ended_in = running
        transaction.ended_phase = running.phase if running is not None else None
        transaction.end_place = _place(at)
        if isinstance(who, Session):
            transaction.checkout.returned = self.tick()

    # Smaller facts ----------------------------------------------------------------------------------------------------

    def unflushed(
        self, session: Session, change: str, model: str, *attributes: str, at: str | None = None
    ) -> Unflushed:
        """Let a session hold work that it never sent."""
        work = Unflushed(change, model, self.tick(), session.request, attributes, _place(at))
        session.unflushed.append(work)
        return work

    def use(
        self,
        request: Request | None,
        what: str = "execute",
        *,
        at: str = "app/jobs.py:9 notify",
        finished: bool = False,
    ) -> Use:
        """Tell of somebody who used a session; append it where it belongs (`session.late`, `session.background`)."""
        return Use(what, self.tick(), place(at), request, finished)

    def load(
        self,
        request: Request,
        attribute: str,
        parent: int,
        *,
        at: str | None = "app/api.py:30 list_authors",
        column: bool = False,
        recursive: bool = False,
        created: bool = False,
    ) -> LazyLoad:
        """Touch what was not loaded."""
        load = LazyLoad(attribute, parent, self.tick(), _place(at), request, request.phase, column, recursive, created)
        request.loads.append(load)
        return load

    def call(
        self,
        request: Request,
        *held: Checkout,
        library: str = "httpx",
        target: str = "POST https://mail.example",
        at: str = "app/mail.py:12 send",
    ) -> ExternalCall:
        """Call another service."""
        call = ExternalCall(library, target, self.tick(), place(at), request, request.phase, held)
        request.calls.append(call)
        return call
