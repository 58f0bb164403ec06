"""H404: a request that holds two connections of one pool at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.callsite import Place
from harness.detectors import signs
from harness.detectors.connections.leaks import holder, is_apart, taken_at
from harness.detectors.finding import Finding
from harness.detectors.questions import finished, is_own, root_of, where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint, listing, plural, route, seen
from harness.observe.facts import Checkout, Phase, Request
from harness.observe.tape import Tape

RULE = Rule(
    code="H404",
    name="second connection from the same pool",
    severity=Severity.WARNING,
    what="A request took a connection from a pool while it held another one of the same pool.",
    why="when as many requests as the pool is large hold their first connection, all of them wait for a second one, "
    "until pool_timeout",
    fix="use one session for the whole request, or close the first one before the second is used",
    wrong="""
        def current_user(token: str, db: Session = Depends(get_auth_db)):
            return db.scalar(select(User).where(User.token == token))

        @app.get("/orders")
        def read_orders(user: User = Depends(current_user), db: Session = Depends(get_db)):
            return db.scalars(select(Order).where(Order.user_id == user.id)).all()
    """,
    right="""
        def current_user(token: str, db: Session = Depends(get_db)):
            return db.scalar(select(User).where(User.token == token))

        @app.get("/orders")
        def read_orders(user: User = Depends(current_user), db: Session = Depends(get_db)):
            return db.scalars(select(Order).where(Order.user_id == user.id)).all()
    """,
    quiet=(
        "one connection after the other, and connections of different pools",
        "a background task that needs a connection of its own: that is H407",
        "a connection that was never returned: that is H401",
        "only a remark (info) where tasks run side by side on purpose, each with a session of its own",
        "a test's own session",
    ),
)
SIGNS = signs.SECOND


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each line that took a connection while its request held another one of the pool."""
    for request in finished(tape.requests):
        if len(request.checkouts) < 2:
            continue
        found: dict[Place | None, tuple[Checkout, list[Checkout]]] = {}
        times: dict[Place | None, int] = defaultdict(int)
        own = [checkout for checkout in request.checkouts if is_own(checkout)]
        for later in own:
            held = _held_by(request, own, later)
            if held:
                times[taken_at(later)] += 1
                found.setdefault(taken_at(later), (later, held))
        for place, (later, held) in found.items():
            yield _finding(request, later, held, times[place])


def _held_by(request: Request, own: list[Checkout], later: Checkout) -> list[Checkout]:
    """Return the connections of its pool that were out when one was taken, and were returned later."""
    if later.phase is Phase.BACKGROUND or (request.ended is not None and later.at >= request.ended):
        return []
    return [
        earlier
        for earlier in own
        if earlier.pool == later.pool
        and earlier.at < later.at
        and earlier.returned is not None
        and earlier.returned > later.at
        and not earlier.collected
    ]


def _finding(request: Request, later: Checkout, held: list[Checkout], times: int) -> Finding:
    together = [*held, later]
    apart = any(is_apart(checkout, request) for checkout in together)
    again = f", {times} times" if times > 1 else ""
    return Finding(
        rule=RULE,
        message=f"{route(request)} held {plural(len(together), 'connection')} of one pool at once{again}: "
        f"{listing(map(holder, together))}",
        site=where(taken_at(later), request),
        endpoint=endpoint(request),
        evidence=(
            *(seen(f"{holder(one)} took a connection here, and kept it", taken_at(one)) for one in held[:3]),
            seen(f"{holder(later)} took another one here", taken_at(later)),
        ),
        fix=f"limit how many tasks run side by side: each request needs {len(together)} connections" if apart else "",
        level=Severity.INFO if apart else None,
        root=root_of(later),
    )
