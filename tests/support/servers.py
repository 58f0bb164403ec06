"""A server for tests, and what they do with it behind harness's back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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
def asking(url: URL) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the test's own."""
    with psycopg.connect(text_of(url), autocommit=True) as connection:
        yield connection


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
