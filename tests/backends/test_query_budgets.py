"""Query budgets on a real PostgreSQL: what is counted is the same on every driver, and the SQL can be pasted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from sqlalchemy.engine import URL

from tests.support.orders import orders
from tests.support.projects import Project, new_project

_APPS = {
    "psycopg": ("sync", "postgresql+psycopg"),
    "psycopg_async": ("async", "postgresql+psycopg"),
    "asyncpg": ("async", "postgresql+asyncpg"),
}
_TEST = """
    import pytest

    def test_it(client, three, assert_queries):
        with assert_queries(7) as queries:
            client.get("/users")
            client.get("/users/1")
            client.post("/users/kim")
            client.post("/many")
        assert len(queries.lazy_loads) == 3

    def test_pasted(client, three, assert_queries, request):
        with assert_queries() as queries:
            client.get("/users/1")
        (request.config.rootpath / "sent.sql").write_text(str(queries).splitlines()[-1])
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


@pytest.mark.parametrize("app", _APPS)
def test_budgets_and_the_ledger_hold_on_every_driver(
    request: pytest.FixtureRequest, project: Project, app: str
) -> None:
    """With the counts of SQLite: nothing of harness's is among them, and lazy loads have their names."""
    selected = request.config.getoption("db")
    if selected and "postgres" not in selected:
        pytest.skip(reason="--db selects SQLite only")
    url: URL = request.getfixturevalue("postgres_url")
    kind, driver = _APPS[app]
    main = orders(project, kind, "harness_queries = queries.json").write(test_it=_TEST).path / "shop/main.py"
    main.write_text(
        re.sub(r"sqlite(\+aiosqlite)?:///production.db", f"{driver}://nobody@production.invalid/shop", main.read_text())
    )
    text = url.render_as_string(hide_password=False)
    database = (f"--harness-database={text}", f"--harness-allow-database={url.render_as_string().replace('***', '*')}")
    project.run_apart(*database, "--harness-queries-record").assert_passed(2)

    recorded = json.loads((project.path / "queries.json").read_text())
    assert ["postgresql"] == recorded["databases"]
    assert [("GET /users", 4), ("GET /users/{user_id}", 1), ("POST /many", 1), ("POST /users/{name}", 1)] == [
        (row["request"], row["queries"]) for row in recorded["counts"] if row["test"].endswith("test_it")
    ]
    _paste((project.path / "sent.sql").read_text().strip(), text.replace(f"{url.drivername}://", "postgresql://"))


def _paste(statement: str, url: str) -> None:
    """Have `psql` take a statement as it was shown, its variables set."""
    psql = shutil.which("psql")
    if psql is None:
        return
    variables = [f"--set={name}=1" for name in re.findall(r"(?<!:):(\w+)", statement)]
    assert variables, statement
    script = f"CREATE TEMP TABLE users (id int, name text);\n{statement}\n"
    done = subprocess.run(
        [psql, url, "--set=ON_ERROR_STOP=1", *variables], input=script, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
