"""Statements as they are told: by sender, then by shape, with the lines that sent them, in SQL that can be pasted.

GET /users: 3 queries
  2 × SELECT FROM orders, lazy load of User.orders
      at shop/main.py:31 in list_users
      SELECT orders.id, orders.user_id FROM orders WHERE :param_1 = orders.user_id;
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.queries.pasting import pasteable
from harness.queries.shapes import Group, groups
from harness.queries.statements import Queries
from harness.report.markup import clean
from harness.report.order import counted

#: How many lines of the project's code, and how many shapes of one sender, are shown.
_PLACES, _SHAPES = 3, 20


def told(queries: Queries) -> str:
    """Return all statements; an empty text if there are none."""
    blocks = [
        "\n".join((f"{clean(sender)}: {counted(len(sent), 'query')}", *_shapes(groups(sent))))
        for sender, sent in queries.by_request().items()
        if len(sent)
    ]
    return "\n\n".join(blocks)


def told_growth(sender: str, now: str, sent: Queries, recorded: Mapping[str, int]) -> str:
    """Return what one sender sends more than is recorded.

    Args:
        sender: who.
        now: the fact, as `12 queries, 2 recorded`.
        sent: all that it sent.
        recorded: how many are recorded of each shape that is new or sent more often.
    """
    lines = [f"{clean(sender)}: {now}"]
    for group in groups(sent):
        if group.key in recorded:
            lines += _shape(group, recorded[group.key])
    return "\n".join(lines)


def _shapes(found: list[Group]) -> Iterable[str]:
    for group in found[:_SHAPES]:
        yield from _shape(group)
    if len(found) > _SHAPES:
        yield f"  and {counted(len(found) - _SHAPES, 'other shape')}"


def _shape(group: Group, recorded: int | None = None) -> Iterable[str]:
    first = group.queries[0]
    notes = [f"{recorded} recorded"] if recorded else []
    notes += ["executemany"] if first.many else []
    notes += [clean(group.load)] if group.load else []
    new = "new: " if recorded == 0 else ""
    yield ", ".join((f"  {new}{len(group.queries)} × {clean(first.shape.brief)}", *notes))
    places = [(site, number) for site, number in group.places if site is not None]
    for site, number in places[:_PLACES]:
        yield clean(f"      at {site}{f' ({number} times)' if len(group.places) > 1 else ''}")
    if len(places) > _PLACES:
        yield f"      and {counted(len(places) - _PLACES, 'other line')}"
    yield f"      {clean(pasteable(first))}"
