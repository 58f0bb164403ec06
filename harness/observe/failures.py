"""Exceptions as facts: what kind they are and where they come from, never what they say about data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy.exc import MissingGreenlet, SQLAlchemyError
from sqlalchemy.orm.exc import DetachedInstanceError

from harness.callsite import place_of
from harness.observe.facts import Failure

_ATTRIBUTE = re.compile(r"instance <(\w+) at .*?(?:attribute|operation of attribute) '(\w+)'", re.DOTALL)


def failure_of(error: BaseException) -> Failure:
    """Return the fact of an exception."""
    failure = Failure(kind=_name(type(error)), place=place_of(error.__traceback__))
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        failure.http = status
    for cause in _chain(error):
        failure.database = failure.database or isinstance(cause, SQLAlchemyError)
        failure.greenlet = failure.greenlet or isinstance(cause, MissingGreenlet)
        if isinstance(cause, DetachedInstanceError):
            failure.detached = True
            failure.attribute = failure.attribute or _attribute(str(cause))
    _read_validation(error, failure)
    return failure


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it wraps: its causes, and the driver's error inside SQLAlchemy's."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        original = getattr(current, "orig", None)
        waiting += [original if isinstance(original, BaseException) else None, current.__cause__]
        waiting += getattr(current, "exceptions", ())  # of an exception group


def _read_validation(error: BaseException, failure: Failure) -> None:
    """FastAPI tells of an attribute that cannot be read while it serialises as of a response that is not valid."""
    if type(error).__name__ != "ResponseValidationError":
        return
    for problem in error.errors():  # type: ignore[attr-defined]  # FastAPI's own type, which is not imported here
        text = str(problem.get("ctx", {}).get("error", problem.get("msg", "")))
        if "MissingGreenlet" in text:
            failure.greenlet = failure.database = True
        elif "DetachedInstanceError" in text:
            failure.detached = failure.database = True
        else:
            continue
        names = [str(part) for part in problem.get("loc", ()) if part != "response" and not isinstance(part, int)]
        failure.attribute = failure.attribute or _attribute(text) or (names[-1] if names else "")


def _attribute(text: str) -> str:
    found = _ATTRIBUTE.search(text)
    return f"{found.group(1)}.{found.group(2)}" if found else ""


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
