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


def build_schema(served: Served) -> list[str]:
    """Make the schema, or copy it from a template where there is one; return notes for the report."""
    from harness.run.templating import templates_of, through_template

    database = served.database
    served.found = found_in(
        served.sessions.engine,
        served.schema_plan,
        created=database is None or database.created,
        copied=database is not None and database.copied,
    )
    templates = templates_of(served)
    return built(served) if templates is None else through_template(served, templates)


def built(served: Served) -> list[str]:
    """Make the schema in the database."""
    let_time_advance(served, before=True)
    notes = served.schema_plan.build(served.sessions.engine)
    let_time_advance(served, before=False)
    return notes


def found_in(engine: Engine, plan: SchemaPlan, *, created: bool, copied: bool) -> Inventory | None:
    """Return what a database that is the user's contains; make room in one that harness has created.

    Args:
        engine: its commits are real.
        plan: how the schema will be made.
        created: whether harness has created the database.
        copied: whether it has created it as a copy of the user's, whose content stays.
    """
    if not created:
        found = inventory(engine)
        return replace(found, schemas=found.schemas - {SCHEMA})  # also if a killed run has left that
    if plan.how.startswith("alembic") and not copied:
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


def let_time_go_on(served: Served) -> None:
    """Let time advance in a database that has been prepared for it already."""
    if served.run.any_advancing:
        from harness.isolation.moments import Moments

        served.target.pinned.moments = Moments()
        served.target.pinned.moments.advancing = served.run.advancing


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
