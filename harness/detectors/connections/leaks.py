"""Connections that nobody gave back: asked by the rules about leaks, by whatever they were met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from harness.callsite import Place
from harness.detectors.finding import Evidence
from harness.detectors.questions import back_in_time, is_own, runs_apart
from harness.detectors.wording import maker, plural, seen
from harness.observe.facts import Checkout, Request


def is_apart(checkout: Checkout, request: Request) -> bool:
    """Tell whether a task of its own uses a connection: it may go on when the request has ended."""
    if checkout.session is not None:
        return runs_apart(checkout.session, request)
    # What a thread does for a request has no task to tell it by.
    tasks = {sent.task for sent in checkout.statements}
    return checkout.asynchronous and bool(tasks) and request.main not in tasks


def is_cancelled(request: Request) -> bool:
    """Tell whether a request was cancelled, as when its client hangs up."""
    return request.error is not None and request.error.name == "CancelledError"


def left_behind(request: Request) -> Iterator[Checkout]:
    """Yield the application's connections that a request that is over took, and that nobody returned on purpose.

    One that was returned later, and not by garbage collection, was in the hands of something that goes on: a task, a
    close that was shielded from the cancellation, an object that outlives requests.
    """
    if request.ended is None:
        return
    for checkout in request.checkouts:
        if (
            checkout.at < request.ended
            and (checkout.returned is None or checkout.collected)
            and is_own(checkout)
            and not is_apart(checkout, request)
        ):
            yield checkout


def dropped_early(checkout: Checkout, request: Request) -> bool:
    """Tell whether garbage collection had returned a connection before its request ended.

    What it returns later is left to chance, and must not decide what is reported.
    """
    return checkout.collected and back_in_time(checkout, request)


def by_place(checkouts: Iterable[Checkout]) -> list[list[Checkout]]:
    """Return connections together that one line took."""
    found: dict[Place | None, list[Checkout]] = defaultdict(list)
    for checkout in checkouts:
        found[taken_at(checkout)].append(checkout)
    return list(found.values())


def taken_at(checkout: Checkout) -> Place | None:
    """Return the line that took a connection; where only libraries did, the one that made its session."""
    return checkout.place or (checkout.session.place if checkout.session is not None else None)


def holder(checkout: Checkout) -> str:
    """Return how to speak of a connection: by its session, if it has one."""
    return maker(checkout.session) if checkout.session is not None else "a Core connection"


def counted(number: int, checkout: Checkout) -> str:
    """Return how to speak of one or more connections that are held alike."""
    if checkout.session is None:
        return plural(number, "Core connection")
    return f"{plural(number, 'connection')} of {holder(checkout)}"


def traces(checkout: Checkout) -> tuple[Evidence, ...]:
    """Return where the session of a connection was made and closed too early, and what was done last."""
    session, found = checkout.session, []
    if session is not None and session.place is not None:
        found.append(seen(f"{maker(session)} was made here", session.place))
    early = [place for at, place in session.closed if at < checkout.at] if session is not None else []
    if early:
        found.append(seen("it was closed here, and began again when it was used", early[-1]))
    if checkout.statements:
        last = checkout.statements[-1]
        found.append(seen(f"{last.shape.brief} was the last statement on it", last.place))
    return tuple(found)


def remedy(checkout: Checkout) -> str:
    """Return the block that gives a connection back whatever happens."""
    if checkout.session is None:
        block = "async with engine.connect()" if checkout.asynchronous else "with engine.connect()"
        return f"use a block that returns it, also after an exception: {block} as connection"
    if any(at < checkout.at for at, _ in checkout.session.closed):
        return "do not use a session after its close: take it from Depends(...), or open it in a block of its own"
    block = "async with AsyncSessionLocal()" if checkout.session.asynchronous else "with SessionLocal()"
    return f"use a block that closes it, also after an exception: {block} as session"
