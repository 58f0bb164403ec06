"""What a database can do that another cannot: a row each. Tests name them with `requires`, and are skipped elsewhere.

For the versions that their makers support today: SQLite 3.35, PostgreSQL 12, MariaDB 10.7, MySQL 8.0.16, and later.
`tests/backends/test_capabilities.py` asks real servers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from harness.errors import ConfigError

_ALL = frozenset({"sqlite", "postgres", "mariadb", "mysql"})
_SERVERS = frozenset({"postgres", "mariadb", "mysql"})
_POSTGRES = frozenset({"postgres"})


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a test may require.

    Attributes:
        name: what the user writes.
        means: what it is, in a few words.
        has: the databases that can do it.
    """

    name: str
    means: str
    has: frozenset[str]


CAPABILITIES = (
    Capability("advisory_locks", "locks that belong to no row: pg_advisory_lock, GET_LOCK", _SERVERS),
    Capability("arrays", "columns that hold arrays", _POSTGRES),
    Capability("check_constraints", "CHECK is enforced", _ALL),
    Capability("concurrent_writers", "two transactions write to one table at the same time", _SERVERS),
    Capability("deferrable_constraints", "foreign keys that are checked at COMMIT", frozenset({"sqlite", "postgres"})),
    Capability("enums", "ENUM types that refuse other values", _SERVERS),
    Capability("exclusion_constraints", "EXCLUDE", _POSTGRES),
    Capability("full_text", "a full-text index on an ordinary table", _SERVERS),
    Capability("ilike", "ILIKE", _POSTGRES),
    Capability("jsonb", "columns of type JSONB, with its operators and indexes", _POSTGRES),
    Capability("listen_notify", "LISTEN and NOTIFY", _POSTGRES),
    Capability("partial_indexes", "CREATE INDEX … WHERE", frozenset({"sqlite", "postgres"})),
    Capability("returning", "INSERT … RETURNING", frozenset({"sqlite", "postgres", "mariadb"})),
    Capability("savepoints", "SAVEPOINT", _ALL),
    Capability("schemas", "several schemas in one database", _POSTGRES),
    Capability("select_for_update", "SELECT … FOR UPDATE locks rows", _SERVERS),
    Capability("sequences", "CREATE SEQUENCE", frozenset({"postgres", "mariadb"})),
    Capability("skip_locked", "SELECT … FOR UPDATE SKIP LOCKED", _SERVERS),
    Capability("stored_functions", "functions that live in the database", _SERVERS),
    Capability("time_zones", "columns whose times have a time zone", _POSTGRES),
    Capability("transactional_ddl", "CREATE TABLE can be rolled back", frozenset({"sqlite", "postgres"})),
    Capability("uuid", "columns of type UUID", frozenset({"postgres", "mariadb"})),
)
_BY_NAME = {capability.name: capability for capability in CAPABILITIES}


def check_names(names: Iterable[str], where: str) -> None:
    """Check the names that a test requires.

    Raises:
        ConfigError: one of them is no capability.
    """
    for name in names:
        if name not in _BY_NAME:
            near = get_close_matches(name, _BY_NAME, n=1)
            raise ConfigError(
                f"@pytest.mark.harness(requires=…) does not know the capability {name!r}",
                where=where,
                remedy=f"{f'did you mean {near[0]!r}? ' if near else ''}valid: {', '.join(_BY_NAME)}",
            )


def lacking(names: Iterable[str], database: str) -> tuple[str, ...]:
    """Return the capabilities that a database does not have.

    Args:
        names: capabilities.
        database: `sqlite`, `postgres`, `mariadb` or `mysql`.
    """
    return tuple(name for name in names if database not in _BY_NAME[name].has)
