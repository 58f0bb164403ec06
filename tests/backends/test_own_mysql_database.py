"""`isolation="database"` and `"delete"` on a real MariaDB, as a user runs them, with each driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.engine import URL

from harness.database import identity
from harness.database.mysql_catalogs import MysqlCatalogs
from tests.backends.test_own_database import _BY_PARAMETER, _MIXED, _WIDER
from tests.support.projects import ASYNC_APP, STRICT, SYNC_APP, Project, new_project

_OWN = "mysql+{}://nobody@production.invalid/shop"
_APPS = {
    "pymysql": SYNC_APP.replace("sqlite:///production.db", _OWN.format("pymysql")),
    "mariadb": SYNC_APP.replace("sqlite:///production.db", "mariadb+pymysql://nobody@production.invalid/shop"),
    "aiomysql": ASYNC_APP.replace("sqlite+aiosqlite:///production.db", _OWN.format("aiomysql")),
    "asyncmy": ASYNC_APP.replace("sqlite+aiosqlite:///production.db", _OWN.format("asyncmy")),
    "sqlite app": SYNC_APP,
}


@pytest.fixture
def project(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> Project:
    """An empty project, whose application has columns that MariaDB can index."""
    if (selected := request.config.getoption("db")) and "mariadb" not in selected:
        pytest.skip(reason="--db leaves this server out")
    return new_project(pytester)


@pytest.fixture
def url(mariadb_url: URL) -> Iterator[URL]:
    """A database that no other test leaves anything in: some of them kill their run."""
    with closing(MysqlCatalogs(mariadb_url, identity.current())) as catalogs:
        catalogs._admin.script("CREATE DATABASE test_own")
        yield mariadb_url.set(database="test_own")
        catalogs._admin.script("DROP DATABASE test_own")


def shop(project: Project, test: str, driver: str = "pymysql", *ini: str) -> Project:
    project.app().write(shop__main=_APPS[driver], test_it=test).ini("harness_app = shop.main:app", *ini)
    models = project.path / "shop/models.py"
    text = models.read_text().replace("mapped_column(unique=True)", "mapped_column(sa.String(50), unique=True)")
    models.write_text(f"import sqlalchemy as sa\n{text}")
    return project


def on(url: URL) -> str:
    return f"--harness-database={url.render_as_string(hide_password=False)}"


def databases(url: URL) -> list[str]:
    """The databases that runs have made and not dropped."""
    with closing(MysqlCatalogs(url, identity.current())) as catalogs:
        return [found.name for found in catalogs.found() if found.name.startswith(f"{url.database}_har")]


@pytest.mark.parametrize("driver", _APPS)
def test_tests_of_every_isolation_mix_in_one_run(project: Project, url: URL, driver: str) -> None:
    """With the same ids, the same errors and nothing left, in the database and on the server."""
    # These servers show a transaction what was there when it first looked.
    mixed = _MIXED.replace('client.post("/users/bob")\n', 'client.post("/users/bob")\n        db_session.commit()\n')
    shop(project, mixed, driver, STRICT).write(conftest=_BY_PARAMETER)

    project.run_apart(on(url)).assert_passed(9)
    assert [] == databases(url)
