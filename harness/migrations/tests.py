"""Tests of a project's migrations, to be imported into one of its test files, or run by `harness_migrations`.

    # tests/test_migrations.py
    from harness.migrations.tests import *

Each runs in a database of its own, which is empty at first, with real commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HarnessError
from harness.migrations import checks
from harness.migrations.history import Revision
from harness.migrations.runner import Migrations

__all__ = ["test_models_match", "test_single_head", "test_up_down_up", "test_upgrade"]


@contextmanager
def _plainly() -> Iterator[None]:
    """Let what is wrong be told by its message alone: a walk through harness's own code helps nobody."""
    try:
        yield
    except HarnessError as error:
        raise pytest.fail.Exception(f"harness: {error}", pytrace=False) from None


def test_single_head(migrations: Migrations) -> None:
    """There is one newest revision, so that `alembic upgrade head` knows where to go."""
    with _plainly():
        checks.check_single_head(migrations)


def test_upgrade(migrations: Migrations) -> None:
    """An empty database can be upgraded to the newest revision."""
    with _plainly():
        migrations.upgrade("heads")


def test_up_down_up(migrations: Migrations, migration_revision: Revision) -> None:
    """Each revision's downgrade undoes what its upgrade does, and the upgrade works again afterwards."""
    if migrations.may_stay(migration_revision.id):
        pytest.skip(reason=f"harness_irreversible names {migration_revision.id}")
    with _plainly():
        checks.check_up_down_up(migrations, migration_revision)


def test_models_match(migrations: Migrations) -> None:
    """After all migrations, the tables are those that the models describe."""
    with _plainly():
        checks.check_models_match(migrations)
