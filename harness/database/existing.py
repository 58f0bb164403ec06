"""A database that exists already: the user gave its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.database.drivers.choice import DRIVERS, drivers_for, family
from harness.database.guard import check_is_test_database
from harness.database.handle import Database
from harness.database.urls import scrubbed, shown, without_driver
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def check_is_supported(url: URL) -> None:
    """Refuse a database that harness has no driver for.

    Raises:
        DatabaseUnavailable: with the databases there are.
    """
    backend = family(url.get_backend_name())
    known = sorted({driver.backend for driver in DRIVERS})
    if backend not in known:
        raise DatabaseUnavailable(
            f"harness cannot run tests on {backend!r}",
            where=shown(url),
            why=f"it has no driver for it; there are drivers for {', '.join(known)}",
            remedy=f"give a URL that begins with {' or '.join(f'{name}://' for name in known)}",
        )


def existing(url: URL, allowed: str | None = None) -> Database:
    """Use the user's own database after making sure that it is a test database and that it answers.

    Raises:
        UnsafeDatabase: its name does not say that it is for tests, and `allowed` does not match.
        DatabaseUnavailable: it is of an unknown kind, or does not answer.
        MissingExtra: no driver for it is installed.
    """
    check_is_supported(url)
    check_is_test_database(url, allowed)
    backend = family(url.get_backend_name())
    driver = drivers_for(backend, {url.get_driver_name()} if "+" in url.drivername else ())
    try:
        driver.connect(url.set(drivername=f"{backend}+{driver.name}")).close()
    except Exception as problem:  # each driver has exceptions of its own, and the system's come on top
        raise _unreachable(url, driver.name, problem) from problem
    return Database(
        url=url.set(drivername=backend),
        backend=backend,
        origin=f"given URL {shown(without_driver(url))}",
        created=False,
    )


def _unreachable(url: URL, driver: str, problem: Exception) -> DatabaseUnavailable:
    place = (
        f"{url.host or 'the default host'}:{url.port}"
        if url.port
        else f"{url.host or 'the default host'}, default port"
    )
    said = scrubbed(str(problem).strip() or type(problem).__name__, url)
    if "does not exist" in said and "database" in said:
        options = (("-h", url.host), ("-p", url.port), ("-U", url.username), ("", url.database))
        remedy = " ".join(
            ["create it, for instance: createdb", *(f"{flag} {it}".strip() for flag, it in options if it)]
        )
    elif "authentication failed" in said or "no password supplied" in said:
        remedy = "check user and password in the URL (special characters must be %-encoded)"
    else:
        remedy = "start the server, or check host and port in the URL"
    return DatabaseUnavailable(
        f"the database {url.database!r} at {place} cannot be reached",
        where=shown(url),
        why=f"{driver} says: {said}",
        remedy=f"{remedy}\nor let harness provide one: --harness-database=sqlite, --harness-database=postgres",
    )
