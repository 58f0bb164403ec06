"""H304: one request works through a synchronous and through an asynchronous engine."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.questions import is_own, root_of, runs_apart, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, plural, route
from harness.observe.facts import Checkout, Phase, Request, Statement
from harness.observe.tape import Tape

RULE = Rule(
    code="H304",
    name="sync and async engine in one request",
    severity=Severity.WARNING,
    what="The statements of one request ran partly on a synchronous and partly on an asynchronous engine of one kind "
    "of database.",
    why="they are two transactions: one can fail when the other is committed, neither sees what the other has not "
    "committed, and each can wait for the other's locks for ever",
    fix="do the whole request through one engine; await session.run_sync(function) runs synchronous code on an "
    "AsyncSession",
    wrong="""
        @app.post("/orders/{id}/cancel")
        async def cancel(id: int, db: AsyncSession = Depends(get_async_db)):
            await db.execute(update(Order).where(Order.id == id).values(status="cancelled"))
            await db.commit()
            await run_in_threadpool(write_audit_record, id)   # opens a sync Session
    """,
    right="""
        @app.post("/orders/{id}/cancel")
        async def cancel(id: int, db: AsyncSession = Depends(get_async_db)):
            await db.execute(update(Order).where(Order.id == id).values(status="cancelled"))
            await db.run_sync(write_audit_record, id)         # uses the Session it is given
            await db.commit()
    """,
    quiet=(
        "an application that has both kinds, and uses one of them in each request",
        "background tasks, and tasks that run apart from the request",
        "different kinds of database",
        "a test's own session, the lifespan and migrations",
    ),
)
SIGNS = signs.MIXED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each request whose statements ran on both kinds of engine."""
    for request in tape.requests:
        if len({sent.checkout.asynchronous for sent in request.statements if sent.checkout is not None}) < 2:
            continue
        waiting: dict[str, list[tuple[Statement, Checkout]]] = {}
        blocking: dict[str, list[tuple[Statement, Checkout]]] = {}
        for sent in request.statements:
            checkout = sent.checkout
            if checkout is not None and _counts(sent, checkout, request):
                kinds = waiting if checkout.asynchronous else blocking
                kinds.setdefault(checkout.driver.partition("+")[0], []).append((sent, checkout))
        for database in waiting.keys() & blocking.keys():
            yield _finding(request, waiting[database], blocking[database])


def _counts(sent: Statement, checkout: Checkout, request: Request) -> bool:
    return (
        sent.phase is not Phase.BACKGROUND
        and (request.ended is None or sent.at < request.ended)
        and is_own(checkout)
        and (checkout.session is None or not runs_apart(checkout.session, request))
    )


def _finding(
    request: Request, waiting: list[tuple[Statement, Checkout]], blocking: list[tuple[Statement, Checkout]]
) -> Finding:
    # The kind that is used less is the one to change.
    odd, usual = (waiting, blocking) if len(waiting) < len(blocking) else (blocking, waiting)
    first, checkout = odd[0]
    kind = "an asynchronous" if checkout.asynchronous else "a synchronous"
    other = "a synchronous" if checkout.asynchronous else "an asynchronous"
    return Finding(
        rule=RULE,
        message=f"{route(request)} sent {plural(len(odd), 'statement')} through {kind} engine ({checkout.driver}) and "
        f"{len(usual)} through {other} one ({usual[0][1].driver})",
        site=where(first.place, request),
        endpoint=endpoint(request),
        evidence=(
            *each([sent for sent, _ in odd], f"{{}} went through {kind} engine"),
            *each([sent for sent, _ in usual], f"{{}} went through {other} engine"),
        ),
        root=root_of(checkout),
    )
