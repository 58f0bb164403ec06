"""From what the user asked for to a database: a plan first, without starting or connecting to anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from harness.database import servers
from harness.database.guard import check_is_test_database
from harness.database.serving import Wishes, check, order
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.database.handle import Database
    from harness.database.identity import RunIdentity
    from harness.database.service import Service

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which database it will be.

    Attributes:
        backend: SQLAlchemy's name of it, known before anything is started.
        origin: where it comes from, for the report header; never shows a password.
        shared: one database, to be provided once, can serve several processes; False if it is in the memory of one.
        start: provide it.
        serve: provide the server on which several processes make a database each; None if they need none.
    """

    backend: str
    origin: str
    shared: bool
    start: Callable[[], Database]
    serve: Callable[[], Service] | None = None


def choose(
    database: str,
    image: str | None,
    allowed: str | None,
    run: RunIdentity,
    say: Say,
    wishes: Wishes | None = None,
    *,
    tables: bool = True,
) -> Plan:
    """Decide which database `harness_database` means.

    Args:
        database: `sqlite`, the name of a server, or a SQLAlchemy URL.
        image: the container image, or None for the server's own; only servers in containers have one.
        allowed: a pattern of URLs that may be used though they do not look like a test database.
        run: the owner of what will be started.
        say: receives what is going on while it starts.
        wishes: how a server is to be provided.
        tables: whether harness makes the tables, so that an empty database will do in place of the user's.

    Raises:
        ConfigError: the value means nothing, or asks for a local server that cannot be.
        UnsafeDatabase: the URL does not look like a test database.
        DatabaseUnavailable: the URL is of a database harness has no driver for.
    """
    word = database.strip()
    if "://" in word:
        return _given(word, allowed, run, say, tables)
    if word.lower() == "sqlite":
        return _in_memory(run)
    server = servers.server_named(word.lower())
    if server is None:
        raise _unknown(word)
    wishes = replace(wishes or Wishes(), image=image)
    check(server, wishes)
    serve = Once(partial(_serve, server, wishes, run, say))
    return Plan(
        backend=server.backend,
        origin=order(server, wishes),
        shared=True,
        start=partial(_on, serve, run, say),
        serve=serve,
    )


def _given(text: str, allowed: str | None, run: RunIdentity, say: Say, tables: bool) -> Plan:
    from harness.database.beside import Given
    from harness.database.drivers.choice import family
    from harness.database.existing import check_is_supported
    from harness.database.sqlite import file, file_of_worker
    from harness.database.urls import file_of, is_in_memory, parse, shown, without_driver

    url = parse(text)
    check_is_supported(url)
    backend = family(url.get_backend_name())
    if backend == "sqlite" and is_in_memory(url):
        return _in_memory(run)
    check_is_test_database(url, allowed)
    if backend == "sqlite":
        path = file_of(url).absolute()
        start = partial(file_of_worker, path, run, say) if run.worker else partial(file, path, allowed)
        return Plan(backend=backend, origin=f"file {path}", shared=True, start=start)
    origin = f"given URL {shown(without_driver(url))}"
    given = Given(url, allowed, run, say, tables=tables)
    return Plan(backend=backend, origin=origin, shared=True, start=given.start, serve=Once(given.serve))


def _in_memory(run: RunIdentity) -> Plan:
    def start() -> Database:
        from harness.database.sqlite import memory

        return memory(run.run_id)

    return Plan(backend="sqlite", origin="in memory", shared=False, start=start)


def _serve(server: servers.Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service:
    from harness.database.serving import serve

    return serve(server, wishes, run, say)


class Once:
    """Provides a service once, until it has been given back."""

    def __init__(self, serve: Callable[[], Service]) -> None:
        self._serve = serve
        self._service: Service | None = None

    def __call__(self) -> Service:
        """Return the service, provided now if it was not."""
        if self._service is None:
            self._service = self._serve()
        return self._service

    def forget(self) -> None:
        """Provide another one when it is next asked for."""
        self._service = None


def _on(serve: Once, run: RunIdentity, say: Say) -> Database:
    from harness.database.service import database_on

    database = database_on(serve(), run, say)

    def close() -> None:
        serve.forget()
        database.close()

    return replace(database, close=close)


def on_service(service: Service, run: RunIdentity, say: Say) -> Plan:
    """Return the plan of a worker: a database of its own on a service that another process has started."""
    from harness.database.service import database_on

    start = partial(database_on, service, run, say, owned=False)
    return Plan(backend=service.backend, origin=service.origin, shared=True, start=start)


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
