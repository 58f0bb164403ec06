"""A project that merely has harness installed is left alone; and every way to load it loads it once."""

from __future__ import annotations

import pytest

from tests.support.projects import Project

_NOTHING = """
    import sys

    HEAVY = {"sqlalchemy", "fastapi", "starlette", "httpx", "httpx2", "docker", "testcontainers", "alembic"}

    def test_nothing_was_imported():
        assert HEAVY & set(sys.modules) == set()
"""
_OFF = ("-p", "no:asyncio", "-p", "no:anyio")


@pytest.mark.parametrize("plugin", [False, True], ids=["installed", "-p harness"])
def test_nothing_heavy_is_imported_unless_it_is_used(project: Project, plugin: bool) -> None:
    """Neither by being installed nor by being named."""
    project.ini(base="[pytest]\npythonpath = .").write(test_it=_NOTHING)
    project.run_apart(*_OFF, plugin=plugin).assert_passed(1)


def test_installed_but_unused_captures_nothing(project: Project) -> None:
    """The project's engine is its own: it opens its own file, in every test."""
    project.write(
        test_it="""
            import sqlalchemy as sa

            engine = sa.create_engine("sqlite:///mine.db")

            def test_write():
                with engine.begin() as connection:
                    connection.execute(sa.text("CREATE TABLE t (x)"))
                    connection.execute(sa.text("INSERT INTO t VALUES (1)"))

            def test_read():
                with engine.begin() as connection:
                    assert connection.scalar(sa.text("SELECT count(*) FROM t")) == 1
                    assert type(connection.connection.dbapi_connection).__module__ == "sqlite3"
                engine.dispose()
        """
    )
    result = project.run_apart(plugin=False)

    result.assert_passed(2)
    assert (project.path / "mine.db").exists()
    assert "" == result.header


def test_a_fixture_of_harness_is_enough_to_start(project: Project) -> None:
    """Without `-p harness` and without any option, a test that asks for `client` gets it, isolated."""
    project.app().write(
        main="from shop.main import app\nfrom fastapi import FastAPI\n",
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, again):
                assert client.post("/users/ann").status_code == 201
        """,
    )
    project.run_apart(plugin=False).assert_passed(2)


def test_an_option_is_enough_to_start(project: Project) -> None:
    """A configured project needs no `-p harness`, and its own TestClient is isolated."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import app

            @pytest.mark.parametrize("again", [False, True])
            def test_add(again):
                assert TestClient(app).post("/users/ann").status_code == 201
        """
    )
    result = project.run_apart(plugin=False)

    result.assert_passed(2)
    assert "app shop.main:app (pytest.ini)" in result.header


def test_a_project_without_sqlalchemy(project: Project) -> None:
    """`-p harness` on tests that have nothing to do with databases."""
    project.write(test_it="import json\ndef test_it():\n    assert json.loads('1') == 1\n")
    project.run_apart().assert_passed(1)


def test_loading_it_twice_registers_it_once(project: Project) -> None:
    """By entry point, by `-p`, and by `-p` again."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            def test_it(client, request):
                names = [name for name, plugin in request.config.pluginmanager.list_name_plugin()
                         if plugin is not None and getattr(plugin, "__name__", "") == "harness.plugin"]
                assert names == ["harness"]
        """
    )
    result = project.run_apart("-p", "harness")

    result.assert_passed(1)
    assert 1 == len(result.header.splitlines())


@pytest.mark.parametrize("how", ["environment", "flag"])
def test_without_autoload_it_is_loaded_by_name(project: Project, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """`-p harness` is then the only way, and enough; from the installed package or a checkout."""
    if how == "environment":
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.app().ini("harness_app = shop.main:app", base="[pytest]\npythonpath = .").write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, again):
                assert client.post("/users/ann").status_code == 201
        """
    )
    arguments = ["--disable-plugin-autoload"] if how == "flag" else []
    project.run_apart(*arguments).assert_passed(2)


def test_it_can_be_switched_off(project: Project) -> None:
    """`-p no:harness`: no fixture, no option, no capture."""
    project.ini(base="[pytest]\npythonpath = .").write(
        test_it="""
            import sqlalchemy as sa

            def test_it(request):
                assert not request.config.pluginmanager.hasplugin("harness")
                engine = sa.create_engine("sqlite://")
                with engine.connect() as connection:
                    assert type(connection.connection.dbapi_connection).__module__ == "sqlite3"
                engine.dispose()

            def test_fixture(client): pass
        """
    )
    result = project.run_apart("-p", "no:harness", plugin=False)

    assert (result.passed, result.errors) == (1, 1), result.text
    result.assert_says("fixture 'client' not found")


@pytest.mark.parametrize("flag", ["--collect-only", "--fixtures", "--markers", "--help", "--setup-plan"])
def test_what_runs_no_test_starts_no_database(project: Project, flag: str) -> None:
    """Looking at a project costs no server."""
    project.app().ini("harness_app = shop.main:app").write(test_it="def test_it(client): pass")
    result = project.run_apart(flag, "--harness-database=sqlite:///app_test.db")

    assert 0 == result.code, result.text
    assert not (project.path / "app_test.db").exists()


def test_xdist_workers_hear_every_option_once(project: Project) -> None:
    """Flags, environment and file reach the workers as they were said, and each worker is isolated."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", range(6))
            def test_add(client, again):
                assert client.post("/users/ann").status_code == 201
        """
    )
    result = project.pytester.runpytest_subprocess(
        "-p", "harness", "-n", "2", "--harness-isolation=rollback", "--harness-database=sqlite", timeout=180
    )
    result.assert_outcomes(passed=6)


def test_random_order_makes_no_difference(project: Project) -> None:
    """Whatever order the tests run in, none sees another's rows."""
    pytest.importorskip("pytest_randomly")
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            @pytest.fixture(scope="module")
            def seed():
                with SessionLocal() as session:
                    session.add(User(name="seed"))
                    session.commit()

            @pytest.mark.parametrize("name", ["ann", "bob", "eve", "zoe"])
            def test_add(seed, client, name):
                client.post(f"/users/{name}")
                assert client.get("/users").json() == sorted([name, "seed"])
        """
    )
    result = project.pytester.runpytest_subprocess("-p", "harness", "-p", "randomly", "-p", "no:faker", timeout=180)
    result.assert_outcomes(passed=4)


def test_asking_whether_sqlalchemy_is_installed_is_not_its_arrival(project: Project) -> None:
    """`find_spec` before the import is a common idiom; the engines are captured all the same."""
    project.app().ini("harness_app = shop.main:app").write(
        conftest="""
            import importlib.util

            assert importlib.util.find_spec("sqlalchemy") is not None
        """,
        test_it="""
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import app

            @pytest.mark.parametrize("again", [False, True])
            def test_add(again):
                assert TestClient(app).post("/users/ann").status_code == 201
        """,
    )
    project.run_apart("-p", "no:anyio").assert_passed(2)
