"""From what the user asked for to a database: a plan first, without starting or connecting to anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from harness.database import servers
from harness.database.guard import check_is_test_database
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.database.handle import Database
    from harness.database.identity import RunIdentity

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which database it will be.

    Attributes:
        backend: SQLAlchemy's name of it, known before anything is started.
        origin: where it comes from, for the report header; never shows a password.
        shared: one database, to be provided once, can serve several processes; False if it is in the memory of one.
        start: provide it.
    """

    backend: str
    origin: str
    shared: bool
    start: Callable[[], Database]


def choose(database: str, image: str | None, allowed: str | None, run: RunIdentity, say: Say) -> Plan:
    """Decide which database `harness_database` means.

    Args:
        database: `sqlite`, the name of a server, or a SQLAlchemy URL.
        image: the container image, or None for the server's own; only servers in containers have one.
        allowed: a pattern of URLs that may be used though they do not look like a test database.
        run: the owner of what will be started.
        say: receives what is going on while it starts.

    Raises:
        ConfigError: the value means nothing.
        UnsafeDatabase: the URL does not look like a test database.
        DatabaseUnavailable: the URL is of a database harness has no driver for.
    """
    word = database.strip()
    if "://" in word:
        return _given(word, allowed, run)
    if word.lower() == "sqlite":
        return _in_memory(run)
    server = servers.server_named(word.lower())
    if server is None:
        raise _unknown(word)
    return Plan(
        backend=server.backend,
        origin=f"container {image or server.image}",
        shared=True,
        start=partial(_container, server, image, run, say),
    )


def _given(text: str, allowed: str | None, run: RunIdentity) -> Plan:
    from harness.database.drivers.choice import family
    from harness.database.existing import check_is_supported, existing
    from harness.database.sqlite import file
    from harness.database.urls import file_of, is_in_memory, parse, shown, without_driver

    url = parse(text)
    check_is_supported(url)
    backend = family(url.get_backend_name())
    if backend == "sqlite" and is_in_memory(url):
        return _in_memory(run)
    check_is_test_database(url, allowed)
    if backend == "sqlite":
        path = file_of(url).absolute()
        return Plan(backend=backend, origin=f"file {path}", shared=True, start=partial(file, path, allowed))
    origin = f"given URL {shown(without_driver(url))}"
    return Plan(backend=backend, origin=origin, shared=True, start=partial(existing, url, allowed))


def _in_memory(run: RunIdentity) -> Plan:
    def start() -> Database:
        from harness.database.sqlite import memory

        return memory(run.run_id)

    return Plan(backend="sqlite", origin="in memory", shared=False, start=start)


def _container(server: servers.Server, image: str | None, run: RunIdentity, say: Say) -> Database:
    from harness.database.container import start

    return start(server, image, run, say)


def _unknown(word: str) -> ConfigError:
    words = ("sqlite", *servers.words())
    near = get_close_matches(word.lower(), words, n=1)
    # What looks like a URL gone wrong may hold a password.
    what = "the value, not shown as it contains an @," if "@" in word else repr(word)
    return ConfigError(
        f"{what} is no database harness knows{f' (did you mean {near[0]!r}?)' if near else ''}",
        where="harness_database",
        remedy=f"use one of {', '.join(words)}, or a SQLAlchemy URL such as postgresql://user:password@host/app_test",
    )
