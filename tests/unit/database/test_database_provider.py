"""From what the user wrote to a plan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.database.identity import RunIdentity
from harness.database.provider import Plan, choose
from harness.errors import ConfigError, DatabaseUnavailable, UnsafeDatabase

RUN = RunIdentity(run_id="run1", pid=1, host_token="here")


def _plan(word: str, *, image: str | None = None, allowed: str | None = None) -> Plan:
    return choose(word, image, allowed, RUN, lambda message: None)


@pytest.mark.parametrize("word", ["sqlite", "SQLite", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
def test_sqlite_without_a_file_is_in_memory(word: str) -> None:
    """One database per process, whichever way it is written."""
    plan = _plan(word)
    database = plan.start()
    database.close()

    assert (plan.backend, plan.origin, plan.shared) == ("sqlite", "in memory", False)
    assert database.url.query["vfs"] == "memdb"


@pytest.mark.parametrize("word", ["sqlite:///app_test.db", "sqlite+aiosqlite:///app_test.db"])
def test_a_sqlite_url_is_a_file(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to where pytest was started."""
    monkeypatch.chdir(tmp_path)
    plan = _plan(word)
    database = plan.start()

    assert (plan.origin, plan.shared) == (f"file {tmp_path / 'app_test.db'}", True)
    assert database.url.render_as_string() == f"sqlite:///{tmp_path / 'app_test.db'}"


@pytest.mark.parametrize("word", ["postgres", "postgresql", "Postgres"])
def test_the_name_of_a_server_is_a_container(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning needs no engine; the default image is the server's."""
    monkeypatch.setattr("harness.database.binaries.directory", lambda: None)
    plan = _plan(word)

    assert (plan.backend, plan.origin, plan.shared) == ("postgresql", "container postgres:17", True)


def test_the_image_is_the_users_choice() -> None:
    """And the header names it."""
    assert _plan("postgres", image="postgis/postgis:16-3.4").origin == "container postgis/postgis:16-3.4"


def test_a_url_is_a_database_that_exists() -> None:
    """Planning does not connect; the header shows no password and no driver."""
    plan = _plan("postgres+asyncpg://app:hush@nowhere.invalid/app_test")

    assert (plan.backend, plan.origin) == ("postgresql", "given URL postgresql://app:***@nowhere.invalid/app_test")


@pytest.mark.parametrize("word", ["postgresql://app@host/shop", "sqlite:///shop.db"])
def test_an_unsafe_url_is_refused_when_planning(word: str) -> None:
    """Before any test runs, and before anything is opened."""
    with pytest.raises(UnsafeDatabase):
        _plan(word)


def test_an_allowed_url_is_planned() -> None:
    """The user said that it may be used."""
    assert _plan("postgresql://app@host/shop", allowed="postgresql://*/shop").backend == "postgresql"


def test_an_unknown_word_gets_the_valid_ones_and_a_guess() -> None:
    """The guess saves a look at the manual."""
    with pytest.raises(ConfigError) as refused:
        _plan("postgers")

    assert str(refused.value) == (
        "'postgers' is no database harness knows (did you mean 'postgres'?)\n"
        "  where harness_database\n"
        "  fix   use one of sqlite, postgres, postgresql, mariadb, mysql, or a SQLAlchemy URL such as "
        "postgresql://user:password@host/app_test"
    )


def test_nothing_is_guessed_where_nothing_is_near() -> None:
    """A wrong guess is worse than none."""
    with pytest.raises(ConfigError) as refused:
        _plan("oracle")

    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize(
    "word", ["postgresql:app:hush@host/app_test", "app:hush@host://app_test", "x://app:hush@h:p/test"]
)
def test_a_url_gone_wrong_is_not_repeated(word: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigError) as refused:
        _plan(word)

    assert "hush" not in str(refused.value)


def test_a_url_of_an_unknown_database_gets_the_known_ones() -> None:
    """And never the password."""
    with pytest.raises(DatabaseUnavailable) as refused:
        _plan("oracle+oracledb://app:hush@host/app_test")

    assert str(refused.value) == (
        "harness cannot run tests on 'oracle'\n"
        "  where oracle+oracledb://app:***@host/app_test\n"
        "  why   it has no driver for it; there are drivers for mysql, postgresql, sqlite\n"
        "  fix   give a URL that begins with mysql:// or postgresql:// or sqlite://"
    )


def test_planning_imports_nothing_heavy() -> None:
    """A project that has the plugin installed and unused pays nothing for databases and containers."""
    code = (
        "import sys\n"
        "import harness.database.provider, harness.database.container, harness.database.existing\n"
        "import harness.database.sqlite, harness.database.guard, harness.database.identity\n"
        "from harness.database.provider import choose\n"
        "choose('postgres', None, None, harness.database.identity.current(), print)\n"
        "print([name for name in ('sqlalchemy', 'testcontainers', 'docker', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
