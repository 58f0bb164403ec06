"""Rows: instances that are stored while they are drawn, in the level of their example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.examples.storing import store
from harness.strategies.instances import Model, from_model

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def rows(model: type[Model], /, **given: SearchStrategy[Any]) -> SearchStrategy[Model]:
    """Return a strategy for stored instances of a mapped class: those of `from_model`, committed.

    They are in the `db_session` of the test if it uses that; otherwise they are detached, with their values loaded.
    The next example starts without them.

    Raises:
        HarnessError, MissingExtra: as `from_model`; and when drawn outside of a test that harness isolates.
    """
    return from_model(model, **given).map(store)
