"""H303: a coroutine of an asynchronous session that nobody awaited.

Both layers name the line of the call, and their subject is the bare name of the method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, SessionCall
from harness.observe.tape import Tape

RULE = Rule(
    code="H303",
    name="coroutine never awaited",
    severity=Severity.ERROR,
    what="A method of an AsyncSession, or of its connection or engine, was called, and its coroutine not awaited.",
    why="it never runs: what it was to commit, flush or delete is lost, and Python says so once, in a warning",
    fix="write await before it",
    wrong="""
        @app.post("/items", status_code=201)
        async def create_item(item: ItemIn, db: AsyncSession = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            db.commit()
            return {"ok": True}
    """,
    right="""
        @app.post("/items", status_code=201)
        async def create_item(item: ItemIn, db: AsyncSession = Depends(get_db)):
            db.add(Item(**item.model_dump()))
            await db.commit()
            return {"ok": True}
    """,
    quiet=(
        "a coroutine that is passed on, as to create_task, gather or shield, and awaited there",
        "methods that are not coroutines, such as db.add",
    ),
    graph=True,
)
SIGNS = signs.RARE


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line whose coroutine nobody awaited."""
    for (method, site), count in Counter((one.method, one.site) for one in tape.unawaited).items():
        times = f" {count} times" if count > 1 else ""
        name = method.rpartition(".")[2]
        yield Finding(
            rule=RULE,
            message=f"{method}() was called{times} and never awaited, so it did nothing",
            site=site,
            fix=f"write await before .{name}(...)",
            subject=name,
        )


def inspect(graph: AppGraph, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each statement that is a coroutine of a session, and nothing more."""
    told: set[SessionCall] = set()
    for function in graph.functions():
        for call in function.calls:
            if call.sort.asynchronous and call.dropped and call not in told:
                told.add(call)
                yield Finding(
                    rule=RULE,
                    message=f"{call.session}.{call.method}() is not awaited, so it does nothing",
                    site=call.site,
                    fix=f"write await {call.session}.{call.method}(...)",
                    subject=call.method,
                    graph=True,
                )
