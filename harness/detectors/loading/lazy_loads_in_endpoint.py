"""H502: N+1 statements where one or two would do, in the application's own code."""

from __future__ import annotations

from collections.abc import Iterator

from harness.detectors import signs
from harness.detectors.finding import Finding
from harness.detectors.loading.repeated_loads import Repeated, repeated
from harness.detectors.questions import where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import each, endpoint, route
from harness.observe.facts import Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H502",
    name="N+1 statements in the endpoint",
    severity=Severity.WARNING,
    what="One line touched a relationship of several objects, and each touch sent a SELECT.",
    why="two rows in a test are two more statements; two thousand in production are two thousand more, one after the "
    "other",
    fix="load the relationship with the query: .options(selectinload(...))",
    wrong="""
        @app.get("/buyers")
        def read_buyers(db: Session = Depends(get_db)):
            return [order.user.name for order in db.scalars(select(Order))]
    """,
    right="""
        @app.get("/buyers")
        def read_buyers(db: Session = Depends(get_db)):
            orders = db.scalars(select(Order).options(selectinload(Order.user)))
            return [order.user.name for order in orders]
    """,
    quiet=(
        "a relationship that is loaded for one object, and one that selectinload or joinedload has loaded",
        "a tree, whose parents and children are of one class",
        "columns: expired, deferred, or of a subclass",
        "eager relationships that a refresh, or the first touch after a commit, loads again",
        "relationships of objects that the same request has added: no query returned them",
        "what a test's own session loads",
        "what the response model touches: that is H503",
    ),
)
SIGNS = signs.LOADED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each relationship and line that sent a statement for each of several objects."""
    for request in tape.requests:
        for loaded in repeated(request, serializing=False):
            yield _finding(request, loaded)


def _finding(request: Request, loaded: Repeated) -> Finding:
    return Finding(
        rule=RULE,
        message=f"{loaded.attribute} was loaded one by one in {route(request)}: {loaded.counted}, of "
        f"{len(request.statements)} in all",
        site=where(loaded.place, request),
        endpoint=endpoint(request),
        evidence=each(loaded.statements),
        fix=f"load it with the query: .options(selectinload({loaded.attribute}))",
        subject=loaded.attribute,
    )
