"""Says which worker is in the middle of its tests, and gives a module its rows."""

import os
from pathlib import Path

import pytest
from shop import User

_count = 0


@pytest.fixture(scope="module")
def known(module_db_session):
    """Two users that all tests of a module share."""
    module_db_session.add_all([User(name="ann"), User(name="ben")])
    return ["ann", "ben"]


@pytest.fixture(autouse=True)
def running(client):
    """From its tenth test on, and in the middle of one, a worker may be killed."""
    global _count
    _count += 1
    if _count == 10 and "PYTEST_XDIST_WORKER" in os.environ:
        client.get("/users")
        Path("running").write_text(str(os.getpid()))
