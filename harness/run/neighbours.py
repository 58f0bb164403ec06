"""A database beside another one: of the same kind, on the same server."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from harness.errors import ConfigError, DatabaseUnavailable

if TYPE_CHECKING:
    from harness.database.handle import Database
    from harness.run.run import Run
    from harness.run.served import Served


def same_kind(run: Run, name: str) -> str:
    """Return the kind of database that `harness_database` says, for one that says nothing itself.

    Raises:
        ConfigError: that is the URL of one database, which cannot be two.
    """
    database = run.settings.database
    if "://" in database:
        raise ConfigError(
            f"nothing says which database {name!r} shall be",
            where=f"harness_databases ({run.settings.source('databases')})",
            why=f"harness_database ({run.settings.source('database')}) is the URL of one database, which cannot be two",
            remedy=f"name one behind the colon: sqlite, postgres, or a URL, as in\n{name}: postgresql://…/{name}_test",
        )
    return database


def neighbour_of(served: Served) -> Served | None:
    """Return a database of the run whose server this one can be on; None if there is none.

    A server that harness starts is enough for all databases that ask for the same one.
    """
    plan = served.plan
    if plan.backend != "postgresql" or not plan.shared or "given" in plan.origin:
        return None
    same = (
        other for other in served.run.served if other.plan.backend == plan.backend and other.plan.origin == plan.origin
    )
    first = next(same, served)
    return None if first is served else first


def beside(first: Served, served: Served) -> Database:
    """Create a database on the server of another one."""
    from dataclasses import replace

    from harness.database.catalogs import Catalogs

    with suppress(DatabaseUnavailable):  # `connect` sees to it
        first.target.pinned.probe()
    first.connect()
    assert first.database is not None
    # Its own name comes first, as the names of its copies begin with it and may be cut off behind.
    catalogs = Catalogs(first.database.url.set(database=f"{served.name}_test"), served.run.identity)
    name = catalogs.name("further")
    with closing(catalogs):
        catalogs.create(name)

    def drop() -> None:
        with closing(catalogs), suppress(DatabaseUnavailable):  # the server is gone, and the database with it
            catalogs.drop(name)

    return replace(first.database, url=catalogs.url_of(name), created=True, close=drop)


def notice_loss(served: Served) -> None:
    """Find out whether the other databases were lost with one, so that no later test has to."""
    for other in served.run.served:
        pinned = other.target.pinned
        if other is served or not pinned.lock.acquire(blocking=False):
            continue  # whoever holds it uses the connection, and is told
        try:
            pinned.probe()
        except DatabaseUnavailable:
            continue  # its own `when_lost` has been called
        except Exception:  # noqa: BLE001 - an aborted transaction: it answers
            continue
        finally:
            pinned.lock.release()
