"""One fixture, `project`; and one law for every test here: the application's own database stays untouched."""

from __future__ import annotations

from collections.abc import Iterator

# pytester forgets what a run inside this process has imported; what is loaded out here need not be loaded each time.
import aiosqlite  # noqa: F401
import fastapi.testclient  # noqa: F401
import pytest
import sqlalchemy.dialects.postgresql
import sqlalchemy.ext.asyncio
import sqlalchemy.orm  # noqa: F401
import sqlmodel  # noqa: F401

from tests.support.projects import PRODUCTION, Project, new_project


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    """An empty project, with the law that its run leaves no production database behind."""
    yield new_project(pytester)
    found = [str(path) for path in pytester.path.rglob(PRODUCTION)]
    assert found == [], "the application's own database was reached"
