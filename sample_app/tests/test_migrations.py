"""The migrations: those tests that every history has to pass, and what one of them does to rows."""

from __future__ import annotations

import pytest

from harness import Harness, Migrations
from harness.migrations.tests import *  # noqa: F403 - the tests of every history


@pytest.fixture(autouse=True)
def _where_empty_databases_are_made(harness: Harness) -> None:
    """Skip the tests on MariaDB and MySQL, which harness refuses to test migrations on."""
    if any(name in harness.origin for name in ("mariadb", "mysql")):
        pytest.skip(reason="harness tests migrations on SQLite and PostgreSQL only")


def test_the_index_is_made_for_orders_that_are_there(migrations: Migrations) -> None:
    """Nothing of what was ordered before is lost."""
    migrations.before("0002")
    migrations.insert("users", {"id": 1, "email": "ann@example.com", "name": "Ann"})
    migrations.insert("orders", {"id": 7, "user_id": 1, "status": "placed"})

    migrations.upgrade("0002")

    assert [(7, 1)] == [(order["id"], order["user_id"]) for order in migrations.rows("orders")]
    assert [] == migrations.rows("audit_events")
