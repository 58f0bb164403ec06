"""A test's migrations: the project's Alembic, the test's own empty database, and one test for each revision."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness.errors import AppError, ConfigError, HarnessError, MigrationError
from harness.migrations.history import History, Revision
from harness.migrations.runner import Migrations
from harness.schema.environment import find_config, load_config

if TYPE_CHECKING:
    from alembic.config import Config

    from harness.run.run import Run

_PURPOSE = "migrations shall be tested"


def migrations_for(run: Run) -> Migrations:
    """Return the migrations of a test that has an empty database.

    Raises:
        HarnessError: Alembic is not installed, its files are not found, or the database cannot be provided.
    """
    import sqlalchemy  # noqa: F401 - its arrival starts the capture, and with it the test's own place

    if not run.apart.begins_empty:
        raise MigrationError(
            "the fixture migrations was asked for when the test had begun already",
            why="the whole test has to use the empty database",
            remedy="name migrations among the arguments of the test, or of one of its fixtures",
        )
    config = alembic_config(run)
    history = History(config)  # before any database is made for it
    with suppress(AppError):  # env.py may know the models without it; if not, that is told there
        if run.app_spec is not None:
            run.app  # noqa: B018 - what the application does to its database when it is imported is not the migrations'
    file = find_config(run.root, _PURPOSE)
    engine = run.sessions.engine

    def with_url() -> Config:
        return load_config(file, run.apart.url, "a test of migrations")

    try:
        return Migrations(
            with_url,
            history,
            lambda: engine,
            run.default.metadata,
            run.while_preparing,
            run.settings.irreversible,
            lambda: _stranger(run),
        )
    except MigrationError as error:
        raise ConfigError(
            f"harness_irreversible: {error.fact}",
            where=run.settings.source("irreversible"),
            remedy=error.remedy,
        ) from None


def _stranger(run: Run) -> str | None:
    registry = run.default.registry
    others = registry.backends() - {run.plan.backend} if registry is not None else set()
    if not others:
        return None
    kinds = " and ".join(sorted(others))
    return f"mend that migration; or, as the application is made for {kinds}, run it on that: --harness-database"


def alembic_config(run: Run) -> Config:
    """Return the configuration of the project's Alembic.

    Raises:
        HarnessError: Alembic is not installed, or its files are not found.
    """
    return load_config(find_config(run.root, _PURPOSE), None, "a test of migrations")


def for_each_revision(metafunc: pytest.Metafunc, run: Run) -> None:
    """Make one test of each revision; a single one that fails, with the reason, if they cannot be read."""
    if any("migration_revision" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")):
        return
    try:
        revisions: tuple[Revision | HarnessError, ...] = History(alembic_config(run)).revisions
    except HarnessError as error:
        revisions = (error,)
    labels = [one.label if isinstance(one, Revision) else "no_revisions" for one in revisions]
    metafunc.parametrize("migration_revision", revisions, ids=labels, indirect=True)


def the_revision(request: pytest.FixtureRequest) -> Revision:
    """Return the revision that a test is for.

    Raises:
        HarnessError: the migrations cannot be read.
    """
    revision: Revision | HarnessError = request.param
    if isinstance(revision, HarnessError):
        raise revision
    return revision
