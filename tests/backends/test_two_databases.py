"""One suite on SQLite and on a real PostgreSQL, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

import harness
from tests.support.projects import Project, new_project
from tests.support.servers import text_of

ROOT = Path(harness.__file__).parent.parent


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


def both(url: URL) -> tuple[str, str]:
    """The options of a run on both."""
    return "--harness-database=sqlite", f"--harness-database={text_of(url)}"


_SUITE = """
    import pytest
    from shop.main import engine
    from shop.models import User

    made = []

    @pytest.fixture(scope="module")
    def ann(module_db_session, request):
        module_db_session.add(User(name="ann"))
        made.append(module_db_session.get_bind().dialect.name)

    def name_of(request):
        return {"sqlite": "sqlite", "postgres": "postgresql"}[request.node.callspec.id.partition("-")[0]]

    def test_a(client, ann, db_session, request):
        assert db_session.get_bind().dialect.name == name_of(request)
        assert client.post("/users/bob").status_code == 201
        assert client.post("/users/bob").status_code == 409
        assert client.get("/users").json() == ["ann", "bob"]

    @pytest.mark.asyncio
    async def test_b(async_client, ann, async_db_session):
        async_db_session.add(User(name="carl"))
        await async_db_session.commit()
        assert (await async_client.get("/users")).json() == ["ann", "carl"]

    how = [pytest.param(how, marks=pytest.mark.harness(isolation=how)) for how in ("rollback", "database", "delete")]

    @pytest.mark.parametrize("isolation", how)
    def test_c(client, request, isolation):
        client.post("/users/dan")
        assert "dan" in client.get("/users").json()

    @pytest.mark.harness(isolation="database")
    def test_d(client, ann, request, db_engine):
        assert db_engine.dialect.name == name_of(request)
        client.post("/users/eve")
        assert client.get("/users").json() == ["ann", "eve"]

    @pytest.mark.harness(requires="listen_notify", isolation="database")
    def test_e(db_session, request):
        assert name_of(request) == "postgresql"
        db_session.connection().exec_driver_sql("LISTEN orders")

    def test_f(client):
        assert client.get("/users").json() in ([], ["ann"])
"""
#: Each test on the one, then on the other.
_MIXED = """
    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: (item.name.partition("[")[0], item.name))
"""


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_test_runs_on_both_in_any_order(project: Project, postgres_url: URL, kind: str, mixed: bool) -> None:
    """Every isolation, fixtures of wider scope, capabilities; and nothing is left in the user's database."""
    project.app(kind).ini("harness_app = shop.main:app").write(conftest=_MIXED if mixed else "", test_it=_SUITE)
    result = project.run_apart("-rs", "-W", "ignore", *both(postgres_url))

    result.assert_passed(15)
    result.assert_says("sqlite has no listen_notify", "7 tests ran on sqlite and postgres")
    with psycopg.connect(text_of(postgres_url)) as connection:
        assert [] == connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()


def test_a_difference_that_is_real_is_told(project: Project, postgres_url: URL) -> None:
    """SQLite takes text that is too long; PostgreSQL does not, and nothing follows it there."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from sqlalchemy import text

            def test_it(db_session):
                db_session.execute(text("CREATE TABLE short (v VARCHAR(2))"))
                db_session.execute(text("INSERT INTO short VALUES ('long')"))
                assert db_session.execute(text("SELECT v FROM short")).scalar() == "long"
        """
    )
    result = project.run_apart(*both(postgres_url))

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "test_it.py::test_it\n  outcome   sqlite: passed\n  outcome   postgres: failed: sqlalchemy.exc.DataError:",
        "  queries   sqlite 3, postgres 2\n  statement first one that differs: number 3\n",
        "            sqlite: SELECT FROM short (the test itself, test_it.py:6 in test_it)\n"
        "            postgres: nothing more\n",
    )


def test_the_sample_application_differs_as_the_manual_says(postgres_url: URL) -> None:
    """In how many statements several users take."""
    arguments = ("-p", "harness", "-p", "no:cacheprovider", "sample_app/tests/test_users.py", *both(postgres_url))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    manual = (ROOT / "docs/two-databases.md").read_text()
    told = done.stdout[done.stdout.index("tests/test_users.py::test_a_page") : done.stdout.index("\n9 tests ran on")]

    assert 0 == done.returncode, done.stdout
    assert told in manual, done.stdout


def test_a_server_by_url_tells_its_maker(project: Project, mariadb_url: URL) -> None:
    """MariaDB has sequences, MySQL has none, and the URL is the same."""
    project.ini("harness_schema = none").write(
        test_it="""
            import pytest

            @pytest.mark.harness(requires="sequences")
            def test_it(db_url):
                pass

            @pytest.mark.harness(requires=["jsonb", "sequences"])
            def test_other(db_url):
                pass
        """
    )
    url = mariadb_url.set(drivername="mysql")
    result = project.run_apart("-rs", f"--harness-database={text_of(url)}")

    assert (1, 0, 0) == (result.passed, result.failed, result.errors), result.text
    result.assert_says("mysql has no jsonb", "1 skipped")
