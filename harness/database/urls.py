"""Reading and showing database URLs. SQLAlchemy is imported on first use, as everywhere outside the engines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

#: Drivers accept credentials as query arguments too (`?password=`, `?sslpassword=`), which SQLAlchemy does not hide.
_SECRET = re.compile(r"pass(word|wd|file)?|secret|token", re.IGNORECASE)


def parse(text: str) -> URL:
    """Read a URL as SQLAlchemy does; `postgres://`, which hosting providers hand out, means `postgresql://`.

    Raises:
        ConfigError: the text is no URL. It is not repeated in the message, as it may hold a password.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    scheme = text.partition("://")[0]
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "the database URL cannot be read",
            where=f"{scheme}://…" if scheme.replace("+", "").isalnum() else None,
            why="it does not have the form backend[+driver]://user:password@host:port/database",
            remedy="write it like postgresql://app:secret@localhost:5432/app_test, special characters %-encoded",
        ) from None
    backend, plus, driver = url.drivername.partition("+")
    return url.set(drivername=f"postgresql{plus}{driver}") if backend == "postgres" else url


def without_driver(url: URL) -> URL:
    """Return the URL with the name of the backend only."""
    return url.set(drivername=url.get_backend_name())


def shown(url: URL) -> str:
    """Render the URL for a reader: every secret is `***`."""
    hidden = dict.fromkeys(_secrets_in(url), "***")
    # Stars are %-encoded in a query.
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("=%2A%2A%2A", "=***")


def bare(url: URL) -> str:
    """Render the URL without any trace of a secret, as one would write a pattern for it."""
    without = url.difference_update_query(_secrets_in(url))
    return without._replace(password=None).render_as_string()


def scrubbed(text: str, url: URL) -> str:
    """Take the URL's password out of somebody else's message.

    Only where it stands as a password: with `test:test@host/app_test` everything else would be unreadable.
    """
    secrets = {str(url.password)} if url.password else set()
    secrets |= {str(url.query[key]) for key in _secrets_in(url)}
    for secret in secrets:
        text = text.replace(f":{secret}@", ":***@")
        text = re.sub(rf"(\w*pass\w*\s*[=:]\s*['\"]?){re.escape(secret)}", r"\1***", text, flags=re.IGNORECASE)
    return text


def is_in_memory(url: URL) -> bool:
    """Tell whether a SQLite URL names no file."""
    name = url.database or ""
    return (
        name in ("", ":memory:")
        or name.startswith("file::memory:")
        or url.query.get("mode") == "memory"
        or url.query.get("vfs") == "memdb"
    )


def file_of(url: URL) -> Path:
    """Return the file that a SQLite URL names, with or without SQLite's own `file:` form."""
    return Path((url.database or "").removeprefix("file:").partition("?")[0])


def _secrets_in(url: URL) -> list[str]:
    return [key for key in url.query if _SECRET.search(key)]
