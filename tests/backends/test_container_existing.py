"""A database whose URL the user gave; a container of this file's own plays the user's server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest
from sqlalchemy.engine import URL, make_url

from harness.database import identity, servers
from harness.database.container import start
from harness.database.drivers import choice
from harness.database.engine import reach
from harness.database.existing import existing
from harness.errors import DatabaseUnavailable, EngineUnavailable, MissingExtra, UnsafeDatabase

IMAGE = os.environ.get("HARNESS_TEST_IMAGE", "postgres:15")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[docker.DockerClient]:
    """The container engine, asked behind harness's back."""
    if "postgres" not in (request.config.getoption("db") or ["postgres"]):
        pytest.skip("--db does not select postgres")
    try:
        with reach():
            pass
    except EngineUnavailable as problem:
        pytest.skip(f"{problem.fact} (.ci/engine starts one)")
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def url(engine: docker.DockerClient) -> Iterator[URL]:
    """A database on a server."""
    database = start(servers.SERVERS[0], IMAGE, identity.current(), print)
    yield database.url
    database.close()


@pytest.mark.parametrize("driver", ["", "+psycopg", "+asyncpg", "+psycopg2"])
def test_it_is_used_as_it_is(url: URL, driver: str) -> None:
    """Whichever driver the URL names; harness does not own it, so closing leaves it."""
    database = existing(url.set(drivername=f"postgresql{driver}"))
    database.close()

    assert (database.url, database.backend, database.created) == (url, "postgresql", False)
    assert existing(url).url == url


def test_the_header_shows_no_password(url: URL) -> None:
    """But everything else."""
    origin = existing(url).origin

    assert origin == f"given URL postgresql://harness:***@{url.host}:{url.port}/{url.database}"


def test_a_wrong_password_is_explained_without_showing_it(url: URL) -> None:
    """The driver's words, and where to look."""
    with pytest.raises(DatabaseUnavailable) as refused:
        existing(url.set(password="hush"))

    assert f"the database {url.database!r} at {url.host}:{url.port} cannot be reached" in str(refused.value)
    assert "psycopg says: " in str(refused.value)
    assert "check user and password" in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_missing_database_comes_with_the_command_that_makes_it(url: URL) -> None:
    """It is the most usual reason on a new machine."""
    with pytest.raises(DatabaseUnavailable) as refused:
        existing(url.set(database="other_test"))

    assert f"createdb -h {url.host} -p {url.port} -U harness other_test" in str(refused.value)


def test_a_server_that_is_not_there_is_named() -> None:
    """With host, port and database."""
    with pytest.raises(DatabaseUnavailable) as refused:
        existing(make_url("postgresql://app:hush@127.0.0.1:1/app_test"))

    assert str(refused.value).startswith(
        "the database 'app_test' at 127.0.0.1:1 cannot be reached\n"
        "  where postgresql://app:***@127.0.0.1:1/app_test\n"
        "  why   psycopg says: "
    )
    assert "start the server, or check host and port in the URL" in str(refused.value)


def test_it_must_look_like_a_test_database(url: URL) -> None:
    """Before it is connected to."""
    with pytest.raises(UnsafeDatabase):
        existing(url.set(database="postgres"))


def test_the_user_may_allow_it(url: URL) -> None:
    """By a pattern for its URL."""
    allowed = existing(url.set(database="postgres"), "postgresql://harness@*/postgres")

    assert allowed.url.database == "postgres"


def test_a_missing_driver_names_the_extra(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command can be copied."""
    monkeypatch.setattr(choice, "installed", lambda driver: False)
    with pytest.raises(MissingExtra) as missing:
        existing(url)

    assert 'pip install "pytest-fastapi-harness[postgres]"' in str(missing.value)
