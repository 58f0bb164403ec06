"""H104: tasks that live side by side share one session."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, joined, maker, plural, seen
from harness.observe.facts import Request, Session
from harness.observe.incidents import Sharing
from harness.observe.tape import Tape

RULE = Rule(
    code="H104",
    name="session shared by sibling tasks",
    severity=Severity.WARNING,
    what="Two tasks that were alive together, neither of them the request's own, used one session.",
    why="this time their statements did not meet; when the database is slower they will, and the session refuses or "
    "mixes their work",
    fix="open a session of its own in each task: async with async_session() as session",
    wrong="""
        async with asyncio.TaskGroup() as tasks:
            for user_id in ids:
                tasks.create_task(refresh_user(db, user_id))
    """,
    right="""
        async with asyncio.TaskGroup() as tasks:
            for user_id in ids:
                tasks.create_task(refresh_user(user_id))    # opens its own session
    """,
    quiet=(
        "tasks that run one after the other, and one task beside the request's own that is waiting for it",
        "SQLAlchemy's own helper tasks",
        "statements that did meet: that is H103",
    ),
)
SIGNS = signs.CONCURRENT


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each session and request in which sibling tasks shared it."""
    for session in tape.sessions:
        if is_own(session) and not session.collisions:
            met: dict[Request | None, list[Sharing]] = {}
            for sharing in session.siblings:
                met.setdefault(sharing.request, []).append(sharing)
            for request, sharings in met.items():
                yield _finding(session, request, sharings)


def _finding(session: Session, request: Request | None, sharings: list[Sharing]) -> Finding:
    names = [name for sharing in sharings for name in sharing.tasks if name]
    made = (seen(f"{maker(session)} was made here", session.place),) if session.place is not None else ()
    tasks = f" ({joined(names)})" if names else ""
    return Finding(
        rule=RULE,
        message=f"{maker(session)} was used by tasks that ran side by side{tasks}"
        f"{f' in {request}' if request is not None else ''}",
        site=where(sharings[0].place, request),
        endpoint=endpoint(request),
        evidence=(
            seen(
                f"{plural(len(sharings), 'use')} by a task while another one was alive, first here", sharings[0].place
            ),
            *made,
        ),
        root=root_of(session),
    )
