"""What an ORM statement is sent for, where no code asks for it by name: told while statements are counted."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import ORMExecuteState


def purpose_of(state: ORMExecuteState) -> str:
    """Return `lazy load of User.orders`, or `reload of User`; empty for what the code has asked for."""
    if not state.is_select:
        return ""
    if state.lazy_loaded_from is not None and state.is_relationship_load:
        found = _loaded(state)
        return f"lazy load of {found[0].class_.__name__}.{found[1].key}" if found is not None else ""
    if state.is_column_load and not state.is_relationship_load:
        mapper = state.bind_mapper
        return f"reload of {mapper.class_.__name__ if mapper is not None else ''}"
    return ""


def _loaded(state: ORMExecuteState) -> tuple[Any, Any] | None:
    """Return the mapper and the relationship that a statement loads."""
    path = state.loader_strategy_path
    prop = next((step for step in reversed(path.path if path is not None else ()) if hasattr(step, "key")), None)
    owner = getattr(prop, "parent", None)
    return (owner, prop) if prop is not None and owner is not None else None
