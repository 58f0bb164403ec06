"""Phrases that many messages share, so that all of them read alike."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from harness.callsite import Place
from harness.detectors.finding import Endpoint, Evidence
from harness.observe.facts import Request, Session, Statement, site

#: How many names a sentence tells, and how many pieces of evidence of one kind a finding shows.
_ENOUGH = 4


def plural(number: int, noun: str, many: str = "") -> str:
    """Return `1 write`, `2 writes`."""
    return f"{number} {noun if number == 1 else many or noun + 's'}"


def was(number: int) -> str:
    """Return the verb that fits a number."""
    return "was" if number == 1 else "were"


def listing(names: Iterable[str]) -> str:
    """Return names in order, repeated ones with their count: `INSERT INTO items ×3, UPDATE stock and 2 more`."""
    counted = Counter(names)
    told = [f"{name} ×{count}" if count > 1 else name for name, count in counted.items()]
    if len(told) <= _ENOUGH:
        return ", ".join(told)
    return f"{', '.join(told[:_ENOUGH])} and {len(told) - _ENOUGH} more"


def joined(names: Iterable[str]) -> str:
    """Return distinct names as one reads them out: `a`, `a and b`, `a, b and c`."""
    told = list(dict.fromkeys(names))
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def statements(sent: Iterable[Statement]) -> str:
    """Return what some statements did, without their values."""
    return listing(statement.shape.brief for statement in sent)


def endpoint(request: Request | None) -> Endpoint | None:
    """Return a request as a finding tells it."""
    return Endpoint(request.method, request.route or request.path, request.status) if request is not None else None


def route(request: Request) -> str:
    """Return a request without its answer: `POST /items`."""
    return f"{request.method} {request.route or request.path}"


def maker(session: Session) -> str:
    """Return how to speak of a session: by the function that made it, or the file, if that is known."""
    place = site(session.place)
    kind = "AsyncSession" if session.asynchronous else "session"
    if place is None:
        return f"the {kind}"
    name = os.path.basename(place.path) if place.function == "<module>" else place.function.rpartition(".")[2]
    return f"the {kind} from {name}"


def seen(text: str, place: Place | None) -> Evidence:
    """Return one piece of evidence."""
    return Evidence(text, site(place))


def each(sent: list[Statement], text: str = "{}") -> tuple[Evidence, ...]:
    """Return a piece of evidence for each statement; many are cut short.

    Args:
        sent: the statements.
        text: what to say of one; `{}` stands for what it did.
    """
    shown = [seen(text.format(statement.shape.brief), statement.place) for statement in sent[:_ENOUGH]]
    left = len(sent) - len(shown)
    return (*shown, *([Evidence(f"and {plural(left, 'more statement')}")] if left else []))


def commit_call(asynchronous: bool) -> str:
    """Return how a session is committed."""
    return "await session.commit()" if asynchronous else "session.commit()"
