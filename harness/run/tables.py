"""Which tables are in which of several databases, and which engine the test's own session uses for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

    from harness.run.run import Run
    from harness.run.served import Served


def claimed(served: Served) -> frozenset[Table] | None:
    """Return the tables that `harness_databases` says are a database's; None if it says nothing.

    Raises:
        ConfigError: a reference leads to no tables, or to a table that another database has.
    """
    if served.declared is None or not served.declared.metadata:
        return None
    from harness.session.metadata_of import load_tables

    found = load_tables(served.declared.metadata, f"harness_databases, {served.name}: metadata")
    for other in served.run.served[: served.run.served.index(served)]:
        both = sorted(table.fullname for table in found & (other.claimed or frozenset()))
        if both:
            raise ConfigError(
                f"{other.name!r} and {served.name!r} both have the table {both[0]!r}",
                where=f"harness_databases ({served.run.settings.source('databases')})",
                why="a mapped class is of one database, so that its session can tell which",
                remedy="give each database a base of its own, or name mapped classes: metadata=myapp.models:Event",
            )
    return found


def metadata_of(served: Served) -> tuple[MetaData, ...]:
    """Return the MetaData that a database's tables are of: those it claims, or those that no other database does."""
    own = served.claimed
    if own is not None:
        return tuple({id(table.metadata): table.metadata for table in own}.values())
    found = served.run.metadata()
    return tuple(one for one in found if any(belongs(served, table) for table in one.tables.values()))


def belongs(served: Served, table: Table) -> bool:
    """Tell whether a table is in a database."""
    own = served.claimed
    if own is not None:
        return table in own
    return not any(table in (other.claimed or ()) for other in served.run.served)


def binds(run: Run, asynchronous: bool) -> dict[Any, Any]:
    """Return the engine of each table that is not in the default database, for `Session(binds=…)`."""
    found = {}
    for served in run.served[1:]:
        for table in served.claimed or ():
            found[table] = served.sessions.async_engine if asynchronous else served.sessions.engine
    return found
