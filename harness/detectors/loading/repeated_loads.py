"""A relationship that is loaded once for each of many objects: asked by the rules about N+1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from harness.callsite import Place
from harness.detectors.questions import is_own
from harness.detectors.wording import plural
from harness.observe.facts import Phase, Request, Statement
from harness.observe.incidents import LazyLoad

#: How many objects make a loop.
_MANY = 2


@dataclass(frozen=True, slots=True)
class Repeated:
    """One relationship, loaded on one line, object by object.

    Attributes:
        statements: one for each load.
        objects: for how many distinct objects.
    """

    attribute: str
    place: Place | None
    statements: list[Statement]
    objects: int

    @property
    def counted(self) -> str:
        """`12 statements for 12 objects`."""
        return f"{plural(len(self.statements), 'statement')} for {plural(self.objects, 'object')}"


def repeated(request: Request, *, serializing: bool) -> Iterator[Repeated]:
    """Yield what a request loaded object by object.

    Args:
        request: the request.
        serializing: whether to look at what its response model touched, or at everything else.
    """
    if not request.loads:
        return
    sent = {id(one.loaded): one for one in request.statements if one.loaded and one.checkout and is_own(one.checkout)}
    found: dict[tuple[str, Place | None], list[LazyLoad]] = defaultdict(list)
    for load in _touched(request.loads):
        if id(load) in sent and (load.phase is Phase.SERIALIZATION) is serializing:
            found[load.attribute, load.place].append(load)
    for (attribute, place), loads in found.items():
        objects = len({load.parent for load in loads})
        if objects >= _MANY:
            yield Repeated(attribute, place, [sent[id(load)] for load in loads], objects)


def _touched(loads: list[LazyLoad]) -> Iterator[LazyLoad]:
    """Yield the relationships that somebody has touched, rather than a refresh loaded again.

    When an object is refreshed, its columns are loaded and then, on the same line, its eager relationships, one by one.
    """
    refreshing: LazyLoad | None = None
    refreshed: int | None = None
    for load in loads:
        if load.column:
            refreshing, refreshed = load, None
            continue
        if refreshing is not None and load.place == refreshing.place and refreshed in (None, load.parent):
            refreshed = load.parent
            continue
        refreshing = None
        if not (load.recursive or load.created):
            yield load
