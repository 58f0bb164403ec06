"""H108: an async generator was dropped while it held a session."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import root_of
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint
from harness.observe.facts import Session, site
from harness.observe.incidents import Abandoned
from harness.observe.tape import Tape

RULE = Rule(
    code="H108",
    name="abandoned session generator",
    severity=Severity.ERROR,
    what="An async generator that holds a session was left before its end: by return, break or an exception in "
    "`async for`.",
    why="nobody closes the generator, so its session is closed at some later time, in another task, or never; until "
    "then its connection is missing in the pool",
    fix="enter it as a context: contextlib.asynccontextmanager(get_db), then async with",
    wrong="""
        async for db in get_db():
            return await db.get(User, user_id)
    """,
    right="""
        async with asynccontextmanager(get_db)() as db:
            return await db.get(User, user_id)
    """,
    quiet=(
        "a loop whose body simply ends: the generator runs to its end",
        "generators that FastAPI or a context manager enters and leaves",
        "generators that a test drops outside of a request",
    ),
)
SIGNS = signs.RARE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each generator that a request dropped."""
    for abandoned in tape.abandoned:
        if abandoned.request is not None:
            yield _finding(abandoned, _session(tape, abandoned))


def _session(tape: Tape, abandoned: Abandoned) -> Session | None:
    """Return the session that the generator holds: one that it made itself, in the same request."""
    function = abandoned.function
    for session in reversed(tape.sessions):
        made = site(session.place)
        own = made is not None and (made.path, made.function) == (function.path, function.function)
        if own and session.request is abandoned.request:
            return session
    return None


def _finding(abandoned: Abandoned, session: Session | None) -> Finding:
    name = abandoned.function.function
    return Finding(
        rule=RULE,
        message=f"{name}() was dropped in {abandoned.request} while it was suspended and held "
        f"{'an' if abandoned.holding[:1] in 'AEIOU' else 'a'} {abandoned.holding}",
        site=abandoned.suspended,
        endpoint=endpoint(abandoned.request),
        evidence=(Evidence("it was suspended here, and what follows may never run", abandoned.suspended),),
        fix=f"enter it as a context: async with contextlib.asynccontextmanager({name})() as db, or Depends({name})",
        subject=name,
        root=root_of(session) if session is not None else None,
    )
