"""H103: two tasks sent statements on one session at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, maker, plural, seen
from harness.observe.facts import Request, Session
from harness.observe.incidents import Collision
from harness.observe.tape import Tape

RULE = Rule(
    code="H103",
    name="session used by two tasks at once",
    severity=Severity.ERROR,
    what="A task sent a statement on a session while another task's statement was under way on it.",
    why="reads pass by luck, depending on the driver; as soon as one of the tasks flushes or commits, SQLAlchemy "
    "refuses (IllegalStateChangeError), or one task commits what the other has half done",
    fix="open a session of its own in each task: async with async_session() as session",
    wrong="""
        users, posts = await asyncio.gather(
            db.scalars(select(User)),
            db.scalars(select(Post)),
        )
    """,
    right="""
        users = await db.scalars(select(User))
        posts = await db.scalars(select(Post))
    """,
    quiet=(
        "tasks that use the session one after the other",
        "a task that is awaited at once, as asyncio.wait_for and a sequential TaskGroup do",
        "SQLAlchemy's own helper tasks",
    ),
)
SIGNS = signs.CONCURRENT


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session and request in which statements of two tasks met."""
    for session in tape.sessions:
        if is_own(session) and session.collisions:
            met: dict[Request | None, list[Collision]] = {}
            for collision in session.collisions:
                met.setdefault(collision.request, []).append(collision)
            for request, collisions in met.items():
                yield _finding(session, request, collisions)


def _finding(session: Session, request: Request | None, collisions: list[Collision]) -> Finding:
    one = collisions[0]
    again = f", {plural(len(collisions), 'time')}" if len(collisions) > 1 else ""
    made = (seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()
    return Finding(
        rule=RULE,
        message=f"two tasks used {maker(session)} at once{f' in {request}' if request is not None else ''}: "
        f"{one.second} was sent while {one.first} was under way{again}",
        site=where(one.second_place or one.first_place, request),
        endpoint=endpoint(request),
        evidence=(
            seen(f"{one.first} was under way", one.first_place),
            seen(f"{one.second} was sent", one.second_place),
            *made,
        ),
        root=root_of(session),
    )
