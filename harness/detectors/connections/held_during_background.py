"""H407: a request's connection that is kept until its background tasks are done."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.connections.leaks import by_place, counted, is_apart, taken_at
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import background_of, finished, is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import commit_call, endpoint, route, seen, was
from harness.observe.facts import Checkout, Phase, Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H407",
    name="request connection held during background tasks",
    severity=Severity.INFO,
    what="A request was answered, and its connection stayed out of the pool while its background tasks ran.",
    why="the connection is idle for as long as the tasks take, and a task that uses the database needs a second one",
    fix="end the transaction before the endpoint returns",
    wrong="""
        @app.post("/orders/{id}/reminder", status_code=202)
        def remind(id: int, background: BackgroundTasks, db: Session = Depends(get_db)):
            order = db.get(Order, id)
            background.add_task(send_reminder, order.id)
    """,
    right="""
        @app.post("/orders/{id}/reminder", status_code=202)
        def remind(id: int, background: BackgroundTasks, db: Session = Depends(get_db)):
            order = db.get(Order, id)
            background.add_task(send_reminder, order.id)
            db.commit()
    """,
    quiet=(
        "a session that was committed, rolled back or closed before the response",
        'Depends(get_db, scope="function"), and FastAPI 0.106 to 0.117, whose dependencies end before the tasks begin',
        "a session that a task opens for itself",
        "a session of the request that a task uses: that is H105",
        "a connection that was never returned: that is H401",
        "a test's own session",
    ),
)
SIGNS = signs.BACKGROUND


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line whose connection a request kept while its background tasks ran."""
    for request in finished(tape.requests):
        tasks = background_of(request)
        if tasks is not None:
            for held in by_place(one for one in request.checkouts if _is_kept(one, request, tasks[0])):
                yield _finding(request, held, tasks, versions)


def _is_kept(checkout: Checkout, request: Request, began: float) -> bool:
    return (
        checkout.at < began
        and checkout.returned is not None
        and checkout.returned > began
        and not checkout.collected
        and is_own(checkout)
        and not is_apart(checkout, request)
        and not (checkout.session is not None and checkout.session.background)
    )


def _finding(request: Request, held: list[Checkout], tasks: tuple[float, float], versions: Versions) -> Finding:
    first, number = held[0], len(held)
    began, ended = tasks
    for_ms = (min(first.returned or ended, ended) - began) * 1000
    second = [
        one for one in request.checkouts if one.phase is Phase.BACKGROUND and one.pool == first.pool and is_own(one)
    ]
    more: tuple[Evidence, ...] = ()
    if second:
        more = (seen("a background task took a second connection of the same pool here", taken_at(second[0])),)
    return Finding(
        rule=RULE,
        message=f"{counted(number, first)} {was(number)} kept for {for_ms:.1f} ms of "
        f"background tasks after {route(request)} was answered",
        site=where(taken_at(first), request),
        endpoint=endpoint(request),
        evidence=more,
        fix=_fix(first, versions),
        root=root_of(first),
    )


def _fix(held: Checkout, versions: Versions) -> str:
    if held.session is None:
        return "close the connection before the endpoint returns"
    fix = f"{RULE.fix}: {commit_call(held.session.asynchronous)}"
    return (
        f'{fix}; or use Depends(..., scope="function"), whose exit runs before the tasks' if versions.has_scope else fix
    )
