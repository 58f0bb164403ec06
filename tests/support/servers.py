"""A server for tests, and what they do with it behind harness's back."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import psycopg
import pytest
from sqlalchemy.engine import URL

from harness.database import identity, provider
from harness.errors import DatabaseUnavailable


def text_of(url: URL) -> str:
    """Return a URL as an option takes it."""
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database of this session's own."""
    plan = provider.choose("postgres", os.environ.get("HARNESS_TEST_IMAGE"), None, identity.current(), print)
    try:
        started = plan.start()
    except DatabaseUnavailable as error:
        if "postgres" in os.environ.get("HARNESS_TEST_REQUIRE", ""):
            raise
        pytest.skip(reason=f"no PostgreSQL here: {error.fact}")
    yield text_of(started.url)
    started.close()


@contextmanager
def own_server(*options: str) -> Iterator[tuple[URL, str]]:
    """A PostgreSQL of the user's, in a container with these options; gives a test database's URL, and its name."""
    image = os.environ.get("HARNESS_TEST_IMAGE", "postgres:17")
    name = f"own-server-{secrets.token_hex(4)}"
    with socket() as asking_for_a_port:
        asking_for_a_port.bind(("127.0.0.1", 0))
        port: int = asking_for_a_port.getsockname()[1]  # a port that the engine chooses would change with a restart
    command = ["docker", "run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5432"]
    settings = ("--env", "POSTGRES_PASSWORD=secret", "--env", "POSTGRES_DB=shop_test")
    subprocess.run([*command, *settings, *options, image], check=True, capture_output=True)
    try:
        url = URL.create("postgresql", "postgres", "secret", "127.0.0.1", port, "shop_test")
        _wait_for(url)
        yield url, name
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)


def _wait_for(url: URL) -> None:
    """Wait until a server answers: twice in a row, as the image starts it once to set it up."""
    deadline, answers = time.monotonic() + 60, 0
    while answers < 2:
        assert time.monotonic() < deadline, f"{url!r} does not answer"
        try:
            with psycopg.connect(text_of(url), connect_timeout=5):
                answers += 1
        except psycopg.OperationalError:
            answers = 0
        time.sleep(0.3)


@contextmanager
def asking(url: URL) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the test's own."""
    with psycopg.connect(text_of(url), autocommit=True) as connection:
        yield connection


@contextmanager
def own_database(url: URL) -> Iterator[URL]:
    """An empty database beside that of a URL, in which no other test leaves anything."""
    name = f"test_own_{secrets.token_hex(4)}"
    with asking(url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        yield url.set(database=name)
    finally:
        with asking(url) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def a_role(url: URL, *grants: str) -> Iterator[URL]:
    """A role `guest` that owns nothing, with what is granted to it; gives the URL with which it connects."""
    with asking(url) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        for grant in grants:
            connection.execute(grant)
    try:
        yield url.set(username="guest", password="guest")
    finally:
        with asking(url) as connection:
            connection.execute("DROP OWNED BY guest CASCADE; DROP ROLE guest")
