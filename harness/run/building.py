"""What goes with making the schema: what was there before, time that advances, ids that can be numbered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.isolation.timewords import SCHEMA
from harness.schema.inventory import Inventory, inventory, remove_since

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from harness.run.served import Served
    from harness.schema.plan import SchemaPlan


def found_in(engine: Engine, plan: SchemaPlan, *, created: bool) -> Inventory | None:
    """Return what a database that is the user's contains; make room in one that harness has created.

    Args:
        engine: its commits are real.
        plan: how the schema will be made.
        created: whether harness has created the database.
    """
    if not created:
        found = inventory(engine)
        return replace(found, schemas=found.schemas - {SCHEMA})  # also if a killed run has left that
    if plan.how.startswith("alembic"):
        # Migrations start from nothing, also if the application made its tables when it was imported.
        remove_since(Inventory(tables=frozenset(), enums=frozenset(), schemas=frozenset({"public"})), engine)
    return None


def let_time_advance(served: Served, *, before: bool) -> None:
    """Prepare the database for time that advances: functions before its tables are made, what calls them after."""
    run = served.run
    if not run.any_advancing:
        return
    from harness.isolation.moments import Moments
    from harness.schema.times import install, rebindings, send

    pinned, postgres = served.target.pinned, served.target.backend == "postgresql"
    if before:
        if postgres:
            install(served.sessions.engine)
        pinned.moments = Moments()
    elif postgres and pinned.moments is not None:
        changes = rebindings(served.sessions.engine)
        if served.found is None:
            send(changes, served.sessions.engine)
        else:  # what was there before harness came is changed within each test's transaction only
            pinned.moments.preamble = changes
    if not before and pinned.moments is not None:
        pinned.moments.advancing = run.advancing


def check_numbering(served: Served) -> None:
    """Check whether ids can be given as was asked for.

    Raises:
        HarnessError: they cannot.
    """
    from harness.schema.numbering import check_counters, check_sequences

    run = served.run
    if run.any_distinct or (run.settings.sources["ids"].given and run.settings.ids == "reset"):
        given = run.settings.sources["ids"].given
        asked = run.settings.source("ids") if given else "@pytest.mark.harness(ids='distinct')"
        check_sequences(served.target.pinned.sequences, asked)
    if run.any_distinct and served.target.backend == "sqlite":
        run.notes += check_counters(served.target.pinned.physical)


def leave_as_found(served: Served, found: Inventory) -> None:
    """Remove from a database that is not harness's own what harness has put there."""
    served.target.pinned.on_first_use = None  # what could not be built is not tried again
    remove_since(found, served.sessions.engine)


def differences_from_migrations(served: Served) -> list[str]:
    """Return where models and migrations differ; nothing if the schema was made in another way."""
    from harness.schema.comparison import differences

    if not served.schema_plan.how.startswith("alembic"):
        return []
    with served.apart.shared(), served.target.pinned.committing():
        return differences(served.sessions.engine, served.metadata())
