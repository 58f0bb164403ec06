"""`harness_database`: where the tests run."""

from __future__ import annotations

import pytest

from tests.support.options import NATIVE_TOML, OptionLaws
from tests.support.projects import Project


class TestDatabase(OptionLaws):
    """The laws of every option."""

    name = "database"
    first = "sqlite:///app_test.db"
    second = "sqlite:///other_test.db"
    default = "sqlite"

    @property
    def shown(self) -> str:
        """The file's name is part of what is shown."""
        return "app_test.db"


_UNKNOWN = ("nope", "postgress", "Sqlite3", "mongodb")


@pytest.mark.parametrize("value", _UNKNOWN)
def test_an_unknown_value_lists_the_valid_ones(project: Project, value: str) -> None:
    """Before any test runs."""
    project.write(test_it="def test_it(): pass")
    result = project.run(f"--harness-database={value}")

    result.assert_usage_error(f"'{value}' is no database harness knows", "sqlite", "postgres", "SQLAlchemy URL")


def test_an_unknown_value_suggests_a_near_one(project: Project) -> None:
    """A slip of the finger is recognised."""
    project.write(test_it="def test_it(): pass")

    project.run("--harness-database=postgress").assert_usage_error("did you mean 'postgres'?")


def test_an_unknown_value_is_a_usage_error_in_a_fresh_process(project: Project) -> None:
    """Where SQLAlchemy has not been imported yet, it is told just as early."""
    project.app().write(conftest="import sqlalchemy\n", test_it="def test_it(): pass")

    project.run_apart("--harness-database=nope").assert_usage_error("'nope' is no database harness knows")


@pytest.mark.parametrize("flag", ["--help", "--version", "--markers", "--fixtures"])
def test_an_unknown_value_does_not_break_what_only_prints(project: Project, flag: str) -> None:
    """The user may be about to look up the valid ones."""
    result = project.run(flag, "--harness-database=nope")

    assert "INTERNALERROR" not in result.text
    assert "Traceback (most recent" not in result.text
    if flag != "--fixtures":
        assert 0 == result.code, result.text


def test_a_file_is_used(project: Project) -> None:
    """Its URL is what `db_url` gives, and the app's engine is there as well."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from sqlalchemy import text
            from shop.main import engine

            def test_it(db_url, client):
                assert db_url.database.endswith("app_test.db")
                client.post("/users/ann")
                with engine.connect() as connection:
                    file = connection.exec_driver_sql("PRAGMA database_list").first()[2]
                assert file.endswith("app_test.db")
        """
    )
    project.run("--harness-database=sqlite:///app_test.db").assert_passed(1)


@pytest.mark.parametrize("value", ["sqlite", "SQLite", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
def test_ways_to_say_in_memory(project: Project, value: str) -> None:
    """All mean one shared database in memory."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="def test_it(client):\n    assert client.post('/users/ann').status_code == 201\n"
    )
    project.run(f"--harness-database={value}").assert_passed(1)
    assert list(project.path.glob("*memory*")) == []


def test_one_string_in_native_toml_is_one_database(project: Project) -> None:
    """A list is needed for several only."""
    if not NATIVE_TOML:
        pytest.skip(reason="pytest reads [tool.pytest] since version 9")
    (project.path / "pytest.ini").unlink()
    (project.path / "pyproject.toml").write_text(
        '[tool.pytest]\npythonpath = ["."]\nharness_database = "sqlite:///app_test.db"\n'
    )
    project.app().write(test_it="def test_it(): pass")
    result = project.run("-W", "ignore")

    result.assert_passed(1)
    assert "app_test.db (pyproject.toml)" in result.header


def test_a_password_is_shown_nowhere(project: Project) -> None:
    """Neither in the header nor in the message."""
    project.write(test_it="def test_it(): pass")
    result = project.run(
        "--harness-database=postgresql://ann:hunter2@127.0.0.1:1/app_test?sslpassword=hunter3",
        "--harness-database=postgresql://ann:hunter2@127.0.0.1:1/app_test?sslpassword=hunter4",
    )

    result.assert_usage_error("names one database twice", "ann:***@127.0.0.1:1/app_test?sslpassword=***")
    assert "hunter" not in result.text
