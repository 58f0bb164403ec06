"""No test ever reaches a database that harness did not create or was not told is a test one."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.database.urls import bare, file_of, is_in_memory, shown, without_driver
from harness.errors import UnsafeDatabase

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# A list of words that count rather than of words that do not: English has too many that contain "test" (latest,
# contest, protest, attestation, testimonials, backtest). A name that is refused wrongly costs a line of
# configuration; one that is accepted wrongly costs a database.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TEST_WORD = re.compile(r"(my|app|db|py|unit)?test(s|ing)?(db|database)?")


def is_test_name(name: str) -> bool:
    """Tell whether a name says that it is for tests.

    The name is cut at everything that is not a letter and where camelCase begins a word; one of the words must be
    `test`, `tests` or `testing`, alone or joined to one of a few words that databases are named with (`testdb`,
    `apptest`). `app_test`, `test-gw0`, `appTest2` count; `latest`, `contest`, `attestation` do not.
    """
    return any(_TEST_WORD.fullmatch(word.lower()) for word in _WORD.findall(name))


def check_is_test_database(url: URL, allowed: str | None = None) -> None:
    """Refuse a database that does not look like a test database.

    Args:
        url: the database.
        allowed: a pattern (`*`, `?`, `[…]`) for the whole URL without its password, with or without the driver.

    Raises:
        UnsafeDatabase: neither the database's name (of a SQLite file: the file's name) nor `allowed` permits it.
    """
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and is_in_memory(url):
        return
    name = file_of(url).name if sqlite else url.database or ""
    if is_test_name(name) or (allowed and matches(url, allowed)):
        return
    what = f"the {'file' if sqlite else 'database'} {name!r}" if name else "a URL without a database name"
    raise UnsafeDatabase(
        f"{what} does not look like a test database",
        where=shown(url),
        why="tests write and delete there, and its name does not say that this is fine (the word 'test' is not in it)",
        remedy="use one whose name contains the word test, like app_test\n"
        f"or allow this one: harness_allow_database = {bare(without_driver(url))}",
    )


def matches(url: URL, pattern: str) -> bool:
    """Tell whether a pattern matches a URL, without its password, with or without the driver."""
    ways = [url]
    if url.get_backend_name() == "sqlite":  # a relative file may be meant, whatever became of its path on the way here
        ways.append(url.set(database=os.path.relpath(file_of(url))))
    forms = [text for way in ways for form in (way, without_driver(way)) for text in (bare(form), shown(form))]
    # Equality as well, since the host `[::1]` would be read as a set of characters.
    return pattern in forms or any(fnmatchcase(text, pattern) for text in forms)
