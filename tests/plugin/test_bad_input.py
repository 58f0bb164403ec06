"""Each wrong input gets one message: the fact, where, and the remedy; before or at the guilty test, leaving nothing."""

from __future__ import annotations

import os

import pytest

from tests.support.projects import Project

_USES_CLIENT = "def test_it(client): client.get('/users')"
_USES_SESSION = "def test_it(db_session): db_session.connection()"


def files(project: Project) -> list[str]:
    """Everything in the project that is not source."""
    return sorted(
        str(path.relative_to(project.path))
        for path in project.path.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc", ".ini"} and path.name not in {"stdout", "stderr"}
    )


# -- the application ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("app", "fragments"),
    [
        ("shpo.main:app", ("module 'shpo' cannot be found", "did you mean 'shop.main'?", "harness_app")),
        ("shop.mian:app", ("module 'shop.mian' does not exist", "did you mean 'shop.main'?")),
        ("shop.main:application", ("has no attribute 'application'", "app (a FastAPI)")),
        ("shop.main:lives", ("is not an ASGI application", "builtins.list", "name a FastAPI")),
        ("shop/main.py", ("is not a reference", "named with dots")),
        ("shop.main.app", ("is not a reference", "'shop.main:app'")),
        ("shop.main:SessionLocal", ("'shop.main:SessionLocal'", "harness_app")),
    ],
)
def test_a_wrong_app_is_told_at_the_guilty_test(project: Project, app: str, fragments: tuple[str, ...]) -> None:
    """The test that needs the app errs with the reference, what is wrong with it, and a way out; others run."""
    project.app().ini(f"harness_app = {app}").write(test_it=f"{_USES_CLIENT}\ndef test_free(): pass")
    result = project.run()

    assert (result.errors, result.passed, result.failed) == (1, 1, 0), result.text
    result.assert_says(*fragments)


def test_an_import_error_of_the_app_is_shown(project: Project) -> None:
    """The user sees the exception, its line, and that it is the import that failed."""
    project.app().ini("harness_app = shop.broken:app").write(
        shop__broken="import os\nurl = os.environ['SHOP_URL']\n", test_it=_USES_CLIENT
    )
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("importing 'shop.broken' raised KeyError", "shop/broken.py:2", "harness_url_env")


def test_a_missing_package_of_the_app_is_named(project: Project) -> None:
    """A ModuleNotFoundError inside the app is not mistaken for a wrong reference."""
    project.app().ini("harness_app = shop.broken:app").write(
        shop__broken="import no_such_package\n", test_it=_USES_CLIENT
    )
    result = project.run()

    result.assert_says("importing 'shop.broken' raised ModuleNotFoundError", "install 'no_such_package'")


def test_a_factory_with_arguments_is_refused(project: Project) -> None:
    """The message names the argument and the fixture with which to build the app."""
    project.app().ini("harness_app = shop.factory:create").write(
        shop__factory="def create(settings): raise AssertionError", test_it=_USES_CLIENT
    )
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("needs an argument: settings", "override the fixture harness_app")


def test_a_factory_that_raises_is_blamed(project: Project) -> None:
    """With the exception and its line."""
    project.app().ini("harness_app = shop.factory:create").write(
        shop__factory="def create():\n    raise ValueError('no settings')\n", test_it=_USES_CLIENT
    )
    result = project.run()

    result.assert_says("the factory 'shop.factory:create' raised ValueError: no settings", "shop/factory.py:2")


def test_no_app_at_all_is_told_with_the_line_to_write(project: Project) -> None:
    """Where nothing can be found, the user learns the option."""
    project.write(test_it="def test_it(client): pass")
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("no application is named", "harness_app =")


def test_several_apps_are_listed_for_a_choice(project: Project) -> None:
    """harness does not guess."""
    project.app().write(shop__api="from fastapi import FastAPI\napp = FastAPI()\n", test_it="def test_it(client): pass")
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("2 FastAPI applications were found", "harness_app = shop.api:app", "harness_app = shop.main:app")


def test_an_error_of_the_app_is_told_once_without_harness_internals(project: Project) -> None:
    """The message is what pytest shows, not a walk through harness's own code."""
    project.app().ini("harness_app = shop.nowhere:app").write(test_it=_USES_CLIENT)
    result = project.run()

    assert "harness/run/run.py" not in result.text, result.text
    assert "harness/fixtures/life.py" not in result.text, result.text


# -- dependencies and tables -------------------------------------------------------------------------------------------


def test_a_get_db_that_no_route_uses_lists_the_candidates(project: Project) -> None:
    """The named dependency does nothing, so the ones that would are listed with their evidence."""
    project.app().ini("harness_app = shop.main:app", "harness_get_db = shop.main:later").write(test_it=_USES_CLIENT)
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("'shop.main:later' is not used by any route", "shop.main:get_db", "harness_get_db")


def test_a_get_db_that_does_not_exist_is_refused(project: Project) -> None:
    """With the option and a near name."""
    project.app().ini("harness_app = shop.main:app", "harness_get_db = shop.main:get_bd").write(test_it=_USES_CLIENT)
    result = project.run()

    result.assert_says("has no attribute 'get_bd'", "did you mean 'get_db'?", "harness_get_db")


def test_an_app_without_any_session_dependency_needs_none(project: Project) -> None:
    """Services that use `SessionLocal()` are isolated as well, so no candidate is no error."""
    project.app().ini("harness_app = shop.bare:app").write(
        shop__bare="""
            from fastapi import FastAPI
            from shop.main import SessionLocal
            from shop.models import User

            app = FastAPI()

            @app.post("/users/{name}")
            def add(name: str) -> int:
                with SessionLocal() as session:
                    session.add(User(name=name))
                    session.commit()
                    return session.query(User).count()
        """,
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, again):
                assert client.post("/users/ann").json() == 1
        """,
    )
    project.run().assert_passed(2)


def test_metadata_without_tables_is_told_with_three_remedies(project: Project) -> None:
    """A database without tables would fail every test with a riddle."""
    project.write(empty="from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): pass\n")
    project.ini("harness_metadata = empty:Base").write(test_it=_USES_SESSION)
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("empty:Base", "harness_metadata")


def test_no_models_anywhere_is_told(project: Project) -> None:
    """Also when nobody named metadata."""
    project.write(test_it=_USES_SESSION)
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("no tables were found", "harness_metadata =", "harness_schema = none")


def test_a_type_that_sqlite_lacks_is_told_with_both_ways_out(project: Project) -> None:
    """The column has to change, or the database."""
    project.write(
        models="""
            from sqlalchemy import Column, Integer, MetaData, Table
            from sqlalchemy.dialects.postgresql import INTERVAL

            metadata = MetaData()
            table = Table("things", metadata, Column("id", Integer, primary_key=True), Column("data", INTERVAL))
        """,
        test_it=_USES_SESSION,
    ).ini("harness_metadata = models:metadata")
    result = project.run()

    assert 1 == result.errors, result.text
    result.assert_says("could not be created on sqlite", "with_variant", "--harness-database=postgres")


# -- the database ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "fragments"),
    [
        ("sqlite:///shop.db", ("the file 'shop.db' does not look like a test database", "harness_allow_database")),
        ("postgresql://ann:hunter2@db.invalid/shop", ("'shop' does not look like a test database", "***")),
        ("postgresql://ann:hunter2@db.invalid", ("does not look like a test database",)),
        ("oracle://ann:hunter2@db.invalid/app_test", ("cannot run tests on 'oracle'", "sqlite", "postgresql")),
        ("postgresql://ann:hunter2@:port/app_test", ("the database URL cannot be read", "postgresql://app:secret@")),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_before_any_test(
    project: Project, url: str, fragments: tuple[str, ...]
) -> None:
    """It is a usage error: no test runs, nothing is made, and the password is not repeated."""
    project.app().ini("harness_app = shop.main:app").write(test_it=_USES_CLIENT)
    result = project.run(f"--harness-database={url}")

    result.assert_usage_error(*fragments)
    assert "hunter2" not in result.text
    assert files(project) == []


def test_a_server_that_does_not_answer_is_told_without_the_password(project: Project) -> None:
    """With host, port, the driver's words, and how to have one provided."""
    project.app().ini("harness_app = shop.main:app").write(test_it=_USES_SESSION)
    result = project.run("--harness-database=postgresql://ann:hunter2@127.0.0.1:1/app_test")

    assert 1 == result.errors, result.text
    result.assert_says("127.0.0.1:1 cannot be reached", "start the server", "--harness-database=sqlite")
    assert "hunter2" not in result.text


def test_a_file_in_a_missing_directory_is_told(project: Project) -> None:
    """The remedy is to create the directory; harness does not."""
    project.app().ini("harness_app = shop.main:app").write(test_it=_USES_SESSION)
    result = project.run("--harness-database=sqlite:///nowhere/app_test.db")

    assert 1 == result.errors, result.text
    result.assert_says("app_test.db cannot be used", "create the directory")
    assert not (project.path / "nowhere").exists()


def test_no_container_engine_is_told_with_the_socket_tried(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to start one, and how to do without."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project.path}/no.sock")
    project.app().ini("harness_app = shop.main:app").write(test_it=_USES_SESSION)
    result = project.run_apart("--harness-database=postgres", "--harness-server=container")

    assert 1 == result.errors, result.text
    result.assert_says("no.sock", "--harness-database=sqlite")


def test_a_closed_tcp_port_of_an_engine_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote engine that refuses connections is named too."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    project.app().ini("harness_app = shop.main:app").write(test_it=_USES_SESSION)
    result = project.run_apart("--harness-database=postgres", "--harness-server=container")

    assert 1 == result.errors, result.text
    result.assert_says("127.0.0.1:1")


# -- missing packages --------------------------------------------------------------------------------------------------

_HIDE = """
    import os
    import sys

    for name in os.environ["HIDDEN"].split():
        sys.modules[name] = None
"""


@pytest.mark.parametrize(
    ("hidden", "database", "test", "package", "extra"),
    [
        (
            "psycopg psycopg2 asyncpg",
            "postgresql://u@h/app_test",
            _USES_SESSION,
            "psycopg, psycopg2 or asyncpg",
            "postgres",
        ),
        ("testcontainers docker", "postgres", _USES_SESSION, "testcontainers", "containers"),
        ("httpx httpx2", "sqlite", "def test_it(client): pass", "httpx", "fastapi"),
        ("starlette fastapi", "sqlite", "def test_it(client): pass", "starlette", "fastapi"),
        ("httpx httpx2", "sqlite", "def test_it(async_client): pass", "httpx", "fastapi"),
        ("aiosqlite", "sqlite", "def test_it(async_db_session): pass", "aiosqlite", "all"),
    ],
)
def test_a_missing_package_names_the_extra(
    project: Project, monkeypatch: pytest.MonkeyPatch, hidden: str, database: str, test: str, package: str, extra: str
) -> None:
    """What is not installed is named, with the command that installs it."""
    monkeypatch.setenv("HIDDEN", hidden)
    monkeypatch.setenv("PYTHONPATH", str(project.path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    project.app().write(
        hide=_HIDE,
        asgi_app="async def app(scope, receive, send): pass\n",
        test_it=test,
    ).ini("harness_app = asgi_app:app", "harness_metadata = shop.models:Base")
    only = ["--harness-server=container"] if database == "postgres" else []
    result = project.run_apart("-p", "hide", f"--harness-database={database}", *only)

    assert result.code != 0, result.text
    result.assert_says(f"{package} is not installed", f'pip install "pytest-fastapi-harness[{extra}]"')


def test_a_missing_alembic_names_the_extra(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations were asked for, so what runs them is needed."""
    monkeypatch.setenv("HIDDEN", "alembic")
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    project.app().write(hide=_HIDE, test_it=_USES_SESSION).ini("harness_schema = alembic")
    (project.path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    result = project.run_apart("-p", "hide")

    assert 1 == result.errors, result.text
    result.assert_says("alembic is not installed", 'pip install "pytest-fastapi-harness[alembic]"')


# -- event loops -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", ["async_client", "async_db_session"])
def test_an_async_test_without_a_plugin_that_runs_it_fails_with_a_remedy(project: Project, fixture: str) -> None:
    """It must not pass unseen; the message names plugins that run async tests."""
    project.app("async").ini("harness_app = shop.main:app", base="[pytest]\npythonpath = .").write(
        test_it=f"async def test_it({fixture}): raise AssertionError('ran')"
    )
    result = project.run_apart("-p", "no:asyncio", "-p", "no:anyio")

    assert (result.passed, result.failed + result.errors) == (0, 1), result.text
    result.assert_says("async def functions are not natively supported", "pytest-asyncio", "anyio")


@pytest.mark.parametrize(
    ("fixture", "use"),
    [
        ("async_client", "await async_client.get('/users')"),
        ("async_db_session", "await async_db_session.execute(__import__('sqlalchemy').text('SELECT 1'))"),
    ],
)
def test_trio_is_refused_with_a_remedy(project: Project, fixture: str, use: str) -> None:
    """SQLAlchemy's asyncio extension cannot run there; the message says how to choose asyncio."""
    project.app("async").ini("harness_app = shop.main:app").write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def anyio_backend():
                return "trio"

            @pytest.mark.anyio
            async def test_it({fixture}):
                {use}
        """
    )
    result = project.run_apart("-p", "no:asyncio", "-o", "asyncio_default_fixture_loop_scope=")

    assert (result.passed, result.failed + result.errors) == (0, 1), result.text
    result.assert_says("trio", "anyio_backend", "asyncio")


# -- ways around the test's transaction --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "escape",
    [
        "raw = engine.raw_connection()\n    raw.cursor().execute(INSERT)\n    raw.commit()\n    raw.close()",
        "raw = engine.raw_connection().driver_connection\n    raw.execute(INSERT)\n    raw.commit()",
        "with engine.connect() as c:\n        c.exec_driver_sql(INSERT)\n        c.exec_driver_sql('COMMIT')",
        "c = engine.connect().execution_options(isolation_level='AUTOCOMMIT')"
        "\n    c.exec_driver_sql(INSERT)\n    c.close()",
    ],
    ids=["raw_connection", "driver_connection", "COMMIT", "AUTOCOMMIT"],
)
def test_raw_commits_stay_in_the_tests_transaction(project: Project, escape: str) -> None:
    """They commit for the rest of the test, and are undone after it."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it=f"""
import pytest
from sqlalchemy import func, select
from shop.main import engine
from shop.models import User

INSERT = "INSERT INTO users (name) VALUES ('ann')"

@pytest.mark.parametrize("again", [False, True])
def test_escape(db_session, again):
    {escape}
    assert db_session.scalar(select(func.count()).select_from(User)) == 1
"""
    )
    project.run().assert_passed(2)


def test_a_commit_on_the_real_connection_is_blamed(project: Project) -> None:
    """harness cannot intercept it: the guilty test fails with the line, and the next one starts clean."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from sqlalchemy import func, select
            from shop.main import engine
            from shop.models import User

            def test_guilty(db_session):
                db_session.add(User(name="ann"))
                db_session.commit()
                raw = engine.raw_connection()
                raw.dbapi_connection.driver_connection.commit()
                raw.close()

            def test_innocent(db_session):
                db_session.add(User(name="bob"))
                db_session.commit()
                assert db_session.scalar(select(func.count()).where(User.name == "bob")) == 1
        """
    )
    result = project.run()

    assert (result.passed, result.errors) == (2, 1), result.text
    result.assert_says(
        "the transaction around the test was ended by something that harness cannot intercept",
        "ERROR at teardown of test_guilty",
        "test_it.py:9 in test_guilty",
        "rows written before that moment may be in the database for good",
        'isolation="database"',
    )


def test_awaited_driver_methods_work_on_aiosqlite(project: Project) -> None:
    """The driver's own connection of an async engine has awaitable methods, and its commit stays in the test."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            import pytest
            from sqlalchemy import func, select
            from shop.main import engine
            from shop.models import User

            @pytest.mark.parametrize("again", [False, True])
            async def test_it(async_db_session, again):
                async with engine.connect() as connection:
                    raw = (await connection.get_raw_connection()).driver_connection
                    await raw.execute("INSERT INTO users (name) VALUES ('ann')")
                    await raw.commit()
                assert await async_db_session.scalar(select(func.count(User.id))) == 1
        """
    )
    project.run_apart().assert_passed(2)


def test_a_statement_that_no_transaction_can_contain_is_explained(project: Project) -> None:
    """VACUUM is refused at its own line, with the marker that lets a test commit for real."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from sqlalchemy import text

            def test_it(db_session):
                db_session.execute(text("VACUUM"))
        """
    )
    result = project.run()

    assert 1 == result.failed, result.text
    result.assert_says("VACUUM cannot run inside a transaction", '@pytest.mark.harness(isolation="database")')


# -- interruption ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["application", "schema"])
def test_an_interrupt_during_the_start_ends_the_run_cleanly(project: Project, place: str) -> None:
    """Ctrl-C is not swallowed or turned into an error, and no file or row is left."""
    project.app().write(
        shop__slow="def app():\n    raise KeyboardInterrupt\ndef schema(engine):\n    raise KeyboardInterrupt\n",
        test_it="def test_it(client, db_session): pass\ndef test_next(client): pass",
    )
    option = "harness_app = shop.slow:app" if place == "application" else "harness_schema = shop.slow:schema"
    project.ini(*(["harness_app = shop.main:app"] if place == "schema" else []), option)
    result = project.run_apart("--harness-database=sqlite:///app_test.db")

    assert 2 == result.code, result.text
    result.assert_says("KeyboardInterrupt")
    assert "Exception ignored" not in result.text
    assert files(project) in ([], ["app_test.db"])


def test_an_interrupt_in_a_test_leaves_no_row(project: Project) -> None:
    """The database file is as empty as before."""
    import sqlite3

    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            def test_it(client):
                client.post("/users/ann")
                raise KeyboardInterrupt
        """
    )
    result = project.run_apart("--harness-database=sqlite:///app_test.db")
    with sqlite3.connect(project.path / "app_test.db") as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables]
    connection.close()

    assert 2 == result.code, result.text
    assert sum(rows) == 0
