"""Proof that a loaded object shows what the database does not hold any more.

After a bulk statement that the session's objects do not hear of, their rows are read again on the same connection.
Only real differences are kept, and they count only if the object still shows the old value when the endpoint is done:
a refresh, an expiry or a commit in between takes them back. The values themselves are forgotten at once.
"""

from __future__ import annotations

import re
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import inspect, select

from harness.callsite import Place
from harness.observe.facts import Request
from harness.observe.incidents import Staleness
from harness.observe.recorder import OWN
from harness.observe.sql import shape

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from harness.observe.sessions import SessionState

#: How many loaded objects are compared with their rows after one statement.
_ENOUGH = 50


class Bulk(NamedTuple):
    """A bulk statement under way: the table that it changes, and the line that sent it."""

    table: str
    place: Place | None


class Suspicion(NamedTuple):
    """An object whose row differs: which attribute, and what the database holds; its value is never told.

    An object that is only changed is kept alive until the endpoint is done. One whose row is gone is not: only if the
    application still holds it then, as in a response, does it matter.
    """

    instance: Any
    key: str
    stored: Any
    deleted: bool
    bulk: Bulk


def look_for_stale_objects(state: SessionState, bulk: Bulk, conn: Connection, sql: str) -> None:
    """Compare the session's loaded objects of a table with their rows, in what the statement has set."""
    session = state.session()
    if session is None:
        return
    checked, names = 0, _assigned(sql)
    for instance in list(session.identity_map.values()):
        details = inspect(instance)
        table = next((table for table in details.mapper.tables if table.name == bulk.table), None)
        if table is None or details.identity is None or checked >= _ENOUGH:
            continue
        checked += 1
        state.suspicions += _differences(details, table, bulk, conn, names)


def _differences(details: Any, table: Any, bulk: Bulk, conn: Connection, names: set[str] | None) -> list[Suspicion]:
    mapper, shown = details.mapper, details.dict
    columns = {}
    for column in table.c:
        prop = mapper.get_property_by_column(column) if column in mapper.c.values() else None
        if prop is not None and prop.key in shown and (names is None or column.name in names):
            columns[prop.key] = column
    if not columns or not all(column in table.c.values() for column in mapper.primary_key):
        return []
    where = [column == value for column, value in zip(mapper.primary_key, details.identity, strict=True)]
    statement = select(*columns.values()).where(*where).execution_options(**{OWN: True})
    row = conn.execute(statement).one_or_none()
    if row is None:
        return [Suspicion(weakref.ref(details.obj()), next(iter(columns)), None, True, bulk)]
    return [
        Suspicion(details.obj(), key, stored, False, bulk)
        for key, stored in zip(columns, row, strict=True)
        if _differ(stored, shown[key])
    ]


_SET = re.compile(r"\bSET\b(.*?)(?:\bWHERE\b|\bFROM\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)


def _assigned(sql: str) -> set[str] | None:
    """Return the columns that an UPDATE sets; None if the statement deletes."""
    found = _SET.search(sql) if shape(sql).verb == "UPDATE" else None
    return set(re.findall(r'[\w.]*?"?(\w+)["`\]]?\s*=', found.group(1))) if found else None


def _differ(one: Any, other: Any) -> bool:
    try:
        return bool(one != other)
    except Exception:  # noqa: BLE001 - values of a type that cannot be compared prove nothing
        return False


def confirm(state: SessionState, request: Request) -> None:
    """Keep, of the differences found, those that the application still shows."""
    suspicions, state.suspicions = state.suspicions, []
    found: dict[tuple[int, str, Bulk], list[Suspicion]] = {}
    for suspicion in suspicions:
        instance = suspicion.instance() if suspicion.deleted else suspicion.instance
        details = inspect(instance, raiseerr=False) if instance is not None else None
        if details is None or details.session is None or suspicion.key in details.expired_attributes:
            continue
        shown = details.dict.get(suspicion.key, suspicion.stored)
        if suspicion.deleted or _differ(shown, suspicion.stored):
            found.setdefault((id(instance), type(instance).__name__, suspicion.bulk), []).append(suspicion)
    for (_, model, bulk), differences in found.items():
        state.fact.stale.append(
            Staleness(
                model=model,
                attributes=tuple(difference.key for difference in differences if not difference.deleted),
                deleted=differences[0].deleted,
                table=bulk.table,
                place=bulk.place,
                request=request,
            )
        )
