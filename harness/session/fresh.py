"""The test's own session shows what is in the database, also where it remembers something older.

A session keeps what it has loaded. In an application that is right, as sessions are short. A test's session lives
through several requests, so a test that looks again would be shown its own memory instead of what the request did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, inspect

if TYPE_CHECKING:
    from sqlalchemy.orm import ORMExecuteState, Session


def keep_fresh(session: Session, changes: Callable[[], int]) -> None:
    """Let a SELECT or `get` overwrite what the session has loaded, if something was committed since it last looked.

    What the test has changed and not flushed is never overwritten.

    Args:
        session: the test's session.
        changes: counts the commits on the test database.
    """
    seen = changes()
    get = session.get

    def look_again() -> bool:
        nonlocal seen
        now, before = changes(), seen
        seen = now
        return now != before

    @event.listens_for(session, "do_orm_execute")
    def refresh(state: ORMExecuteState) -> None:
        if state.is_select and not state.is_column_load and not state.is_relationship_load and look_again():
            state.update_execution_options(populate_existing=True)

    def fresh_get(entity: Any, ident: Any, **options: Any) -> Any:
        # An identity that is in memory is given without a statement, so the event above would not see it.
        if "populate_existing" not in options and changes() != seen and not _modified(session):
            options["populate_existing"] = True
        return get(entity, ident, **options)

    session.get = fresh_get  # type: ignore[method-assign]  # our own session, which nobody else holds


def _modified(session: Session) -> bool:
    return any(inspect(instance).modified for instance in session.identity_map.values())
