"""The databases of a run whose application has several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.config.options import DEFAULT
from harness.errors import ConfigError
from harness.run.served import Served

if TYPE_CHECKING:
    from harness.run.run import Run


def further(run: Run) -> tuple[Served, ...]:
    """Return the databases of a run beside the default one; a replica is its primary, and none of its own.

    Raises:
        ConfigError: two of them are one.
    """
    declared = [one for one in run.settings.further if one.name != DEFAULT and one.replica_of is None]
    found = tuple(Served(run, one) for one in declared)
    of_user: dict[str, str] = {}
    for served in (run.default, *found):
        origin = served.plan.origin
        if origin.startswith(("given URL", "file")) and of_user.setdefault(origin, served.name) != served.name:
            raise ConfigError(
                f"{of_user[origin]!r} and {served.name!r} are the same database",
                where=f"{origin}\nharness_databases ({run.settings.source('databases')})",
                why="what is in two databases in production may not meet in one",
                remedy="name another one, or declare a replica: replica_of=…",
            )
    return found


def ready(run: Run, name: str) -> Served:
    """Return a database by its name, with its schema.

    Raises:
        ConfigError: there is none of that name.
    """
    run.connect()
    served = named(run, name)
    served.ready()
    return served


def session_on(run: Run, name: str, *, asynchronous: bool) -> Any:
    """Return the running test's session on a database; that on the default one is what `db_session` gives.

    Raises:
        ConfigError: there is no database of that name.
    """
    served = ready(run, name)
    if served is run.default:
        return run.desk.async_session() if asynchronous else run.desk.sync_session()

    def make() -> Any:
        session: Any = served.sessions.async_session() if asynchronous else served.sessions.session()
        run.when_named_session_made(session)
        if asynchronous:
            served.apart.closes(session.close)
        return session

    return run.desk.named_session(served.name, asynchronous=asynchronous, make=make)


def named(run: Run, name: str) -> Served:
    """Return a database by its name; of a replica, the primary.

    Raises:
        ConfigError: there is none.
    """
    primary = next((one.replica_of for one in run.settings.further if one.name == name), None) or name
    for served in run.served:
        if served.name == primary:
            return served
    raise ConfigError(
        f"there is no database {name!r}",
        remedy=f"use one of {', '.join(served.name for served in run.served)}, or declare it with harness_databases",
    )
