"""What tests do with a server behind harness's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import URL


def text_of(url: URL) -> str:
    """Return a URL as an option takes it."""
    return url.render_as_string(hide_password=False)


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
