"""What a session's statement is for: a lazy load, or a bulk change that loaded objects do not hear of.

SQLAlchemy announces both, by `do_orm_execute`, but makes every statement of a session pay for it. Here the functions
that led to a statement tell, and they are looked at anyway, on the way to the application's line.
"""

from __future__ import annotations

from types import FrameType

from harness.callsite import Place
from harness.clock import now
from harness.observe import private
from harness.observe.facts import Request, Statement
from harness.observe.incidents import LazyLoad
from harness.observe.live import CREATOR
from harness.observe.staleness import Bulk


def load_of(loader: FrameType, place: Place | None, request: Request) -> LazyLoad | None:
    """Return what one of SQLAlchemy's `private.LOADERS` is loading, if that is a relationship or columns."""
    parent, prop = private.loaded_by(loader)
    if parent is None:
        return None
    if prop is None:
        return LazyLoad(parent.class_.__name__, 0, now(), place, request, request.phase, column=True)
    owner, target = prop.parent, getattr(prop, "mapper", None)
    return LazyLoad(
        attribute=f"{owner.class_.__name__}.{prop.key}",
        parent=hash(parent.key) if parent.key is not None else id(parent),
        at=now(),
        place=place,
        request=request,
        phase=request.phase,
        recursive=target is not None and (target.isa(owner) or owner.isa(target)),
        created=parent.info.get(CREATOR) == request.number,
    )


def bulk_of(statement: Statement) -> Bulk | None:
    """Return the table that the statement on its way changes without telling the session's objects, if it does."""
    if statement.shape.verb not in ("UPDATE", "DELETE"):
        return None
    given = private.given_to_session()
    if given is None:  # a flush sends what the objects themselves have changed
        return None
    executed, options = given
    if "entity" in getattr(executed, "entity_description", ()):
        options = {**executed.get_execution_options(), **options}
        if options.get("synchronize_session", "auto") is not False:
            return None
    return Bulk(statement.shape.table.rpartition(".")[2], statement.place)
