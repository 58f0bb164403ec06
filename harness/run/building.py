"""What goes with making the schema: what was there before, time that advances, ids that can be numbered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.isolation.timewords import SCHEMA
from harness.schema.inventory import Inventory, inventory, remove_since

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from harness.run.run import Run
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


def let_time_advance(run: Run, *, before: bool) -> None:
    """Prepare the database for time that advances: functions before its tables are made, what calls them after."""
    if not run.any_advancing:
        return
    from harness.isolation.moments import Moments
    from harness.schema.times import install, rebindings, send

    pinned, postgres = run.target.pinned, run.target.backend == "postgresql"
    if before:
        if postgres:
            install(run.sessions.engine)
        pinned.moments = Moments()
    elif postgres and pinned.moments is not None:
        changes = rebindings(run.sessions.engine)
        if run.found is None:
            send(changes, run.sessions.engine)
        else:  # what was there before harness came is changed within each test's transaction only
            pinned.moments.preamble = changes
    if not before and pinned.moments is not None:
        pinned.moments.advancing = run.advancing


def check_numbering(run: Run) -> None:
    """Check whether ids can be given as was asked for.

    Raises:
        HarnessError: they cannot.
    """
    from harness.schema.numbering import check_counters, check_sequences

    if run.any_distinct or (run.settings.sources["ids"].given and run.settings.ids == "reset"):
        given = run.settings.sources["ids"].given
        asked = run.settings.source("ids") if given else "@pytest.mark.harness(ids='distinct')"
        check_sequences(run.target.pinned.sequences, asked)
    if run.any_distinct and run.target.backend == "sqlite":
        run.notes += check_counters(run.target.pinned.physical)


def leave_as_found(run: Run, found: Inventory) -> None:
    """Remove from a database that is not harness's own what harness has put there."""
    run.target.pinned.on_first_use = None  # what could not be built is not tried again
    remove_since(found, run.sessions.engine)


def differences_from_migrations(run: Run) -> list[str]:
    """Return where models and migrations differ; nothing if the schema was made in another way."""
    from harness.schema.comparison import differences

    if not run.schema_plan.how.startswith("alembic"):
        return []
    with run.apart.shared(), run.target.pinned.committing():
        return differences(run.sessions.engine, run.metadata())
