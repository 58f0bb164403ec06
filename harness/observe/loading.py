"""What an ORM statement is for: a lazy load, or a bulk change that loaded objects do not hear of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import ORMExecuteState

from harness.callsite import current_place
from harness.clock import now
from harness.observe.incidents import LazyLoad
from harness.observe.recorder import CURRENT
from harness.observe.sessions import KEY, SessionState
from harness.observe.sql import shape
from harness.observe.staleness import Bulk


def executing(state: ORMExecuteState) -> None:
    """A session is about to execute a statement."""
    request = CURRENT.get()
    if request is None:
        return
    session: SessionState | None = vars(state.session).get(KEY)
    if session is None:
        return
    session.load = None
    if not state.is_select:
        session.bulk = _bulk(state)
        return
    # Each question costs, and most statements are neither: what is rare is asked last.
    parent = state.lazy_loaded_from
    if parent is not None and state.is_relationship_load:
        session.load = _relationship(state, parent)
    elif state.is_column_load and not state.is_relationship_load:
        session.load = _columns(state)
    if session.load is not None:
        request.loads.append(session.load)


def _relationship(state: ORMExecuteState, parent: Any) -> LazyLoad | None:
    path = state.loader_strategy_path
    prop = next((step for step in reversed(path.path if path is not None else ()) if hasattr(step, "key")), None)
    owner = getattr(prop, "parent", None)
    if prop is None or owner is None:
        return None
    request = CURRENT.get()
    target = getattr(prop, "mapper", None)
    return LazyLoad(
        attribute=f"{owner.class_.__name__}.{prop.key}",
        parent=hash(parent.key) if parent.key is not None else id(parent),
        at=now(),
        place=current_place(),
        request=request,
        phase=request.phase if request is not None else None,
        recursive=target is not None and (target.isa(owner) or owner.isa(target)),
        created=request is not None and parent.info.get(KEY) == request.number,
    )


def _columns(state: ORMExecuteState) -> LazyLoad:
    request, mapper = CURRENT.get(), state.bind_mapper
    return LazyLoad(
        attribute=mapper.class_.__name__ if mapper is not None else "",
        parent=0,
        at=now(),
        place=current_place(),
        request=request,
        phase=request.phase if request is not None else None,
        column=True,
    )


def _bulk(state: ORMExecuteState) -> Bulk | None:
    """Return the table that a statement changes without telling the session's objects, if it does."""
    if state.is_orm_statement:
        if not (state.is_update or state.is_delete):
            return None
        if state.execution_options.get("synchronize_session", "auto") is not False:
            return None
        return Bulk(str(getattr(inspect(state.bind_mapper).local_table, "name", "")), current_place())
    statement: Any = state.statement
    table = getattr(statement, "table", None)
    if table is None:
        seen = shape(str(getattr(statement, "text", "")))
        name = seen.table.rpartition(".")[2] if seen.verb in ("UPDATE", "DELETE") else ""
    else:
        name = str(getattr(table, "name", "")) if state.is_update or state.is_delete else ""
    return Bulk(name, current_place()) if name else None
