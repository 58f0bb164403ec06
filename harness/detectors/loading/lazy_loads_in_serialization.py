"""H503: N+1 statements that the response model sends while it reads the answer."""

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
    code="H503",
    name="N+1 statements in serialisation",
    severity=Severity.WARNING,
    what="The response model read a relationship of several objects, and each read sent a SELECT.",
    why="no line of the application shows it: two rows in a test are two more statements, two thousand in production "
    "are two thousand more, one after the other",
    fix="load the relationship with the query: .options(selectinload(...)); or leave it out of the response model",
    wrong="""
        class OrderRead(BaseModel):
            id: int
            user: UserRead

        @app.get("/orders", response_model=list[OrderRead])
        def read_orders(db: Session = Depends(get_db)):
            return db.scalars(select(Order)).all()
    """,
    right="""
        class OrderRead(BaseModel):
            id: int
            user: UserRead

        @app.get("/orders", response_model=list[OrderRead])
        def read_orders(db: Session = Depends(get_db)):
            return db.scalars(select(Order).options(selectinload(Order.user))).all()
    """,
    quiet=(
        "a relationship that is loaded for one object, and one that selectinload or joinedload has loaded",
        "a tree, whose parents and children are of one class",
        "columns: expired, deferred, or of a subclass",
        "eager relationships that are loaded again because a commit expired their objects",
        "relationships of objects that the same request has added: no query returned them",
        "what a test's own session loads",
    ),
)
SIGNS = signs.LOADED


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each relationship that a response model loaded for each of several objects."""
    for request in tape.requests:
        for loaded in repeated(request, serializing=True):
            yield _finding(request, loaded)


def _finding(request: Request, loaded: Repeated) -> Finding:
    return Finding(
        rule=RULE,
        message=f"the response model of {route(request)} loaded {loaded.attribute} one by one: {loaded.counted}, of "
        f"{len(request.statements)} in all",
        site=where(loaded.place, request),
        endpoint=endpoint(request),
        evidence=each(loaded.statements),
        fix=f"load it with the query: .options(selectinload({loaded.attribute})); or leave it out of the response "
        "model",
        subject=loaded.attribute,
    )
