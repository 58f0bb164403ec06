"""Which DBAPI driver opens the real connection? A row per driver; adding one is a row here and a file beside it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from harness.errors import MissingExtra

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Dialect

    from harness.database.drivers.physical import Physical


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A DBAPI driver.

    Attributes:
        name: SQLAlchemy's name of the driver (`dialect.driver`).
        backend: SQLAlchemy's name of the database (`dialect.name`).
        module: the module that must be importable.
        home: the module of this package that opens the connection.
        serves: names of the drivers whose engines can use this connection without a change of types; an
            asynchronous driver is served by the synchronous one of the same library.
        extra: the extra of this distribution that installs it.
    """

    name: str
    backend: str
    module: str
    home: str
    serves: frozenset[str]
    extra: str

    def connect(self, url: URL) -> Physical:
        """Open the real connection."""
        opener = cast(
            "Callable[[URL], Physical]", importlib.import_module(f"harness.database.drivers.{self.home}").connect
        )
        return opener(url)

    def dialect_class(self, like: str = "") -> type[Dialect]:
        """Return SQLAlchemy's dialect class for this driver.

        Args:
            like: SQLAlchemy's name of the database that an engine was made for; `mariadb` and `mysql` are two names of
                one, and an engine keeps its own.
        """
        from sqlalchemy.engine import make_url

        backend = like if family(like) == self.backend else self.backend
        return make_url(f"{backend}+{self.name}://").get_dialect()


#: In order of preference where nothing else decides: the most tolerant of parameter types first.
DRIVERS = (
    Driver(
        name="pysqlite",
        backend="sqlite",
        module="sqlite3",
        home="sqlite",
        serves=frozenset({"pysqlite", "aiosqlite"}),
        extra="all",
    ),
    Driver(
        name="psycopg",
        backend="postgresql",
        module="psycopg",
        home="psycopg3",
        serves=frozenset({"psycopg", "psycopg_async"}),
        extra="postgres",
    ),
    Driver(
        name="psycopg2",
        backend="postgresql",
        module="psycopg2",
        home="psycopg2",
        serves=frozenset({"psycopg2"}),
        extra="postgres",
    ),
    Driver(
        name="asyncpg",
        backend="postgresql",
        module="asyncpg",
        home="asyncpg",
        serves=frozenset({"asyncpg"}),
        extra="postgres",
    ),
    Driver(
        name="pymysql",
        backend="mysql",
        module="pymysql",
        home="pymysql",
        serves=frozenset({"pymysql", "mysqldb", "aiomysql", "asyncmy"}),
        extra="mysql",
    ),
)


#: What applications use, in order of preference: (backend, asynchronous) → (module, SQLAlchemy's name of the driver).
_APPLICATIONS = {
    ("sqlite", False): (("sqlite3", "pysqlite"),),
    ("sqlite", True): (("aiosqlite", "aiosqlite"),),
    ("postgresql", False): (("psycopg", "psycopg"), ("psycopg2", "psycopg2")),
    ("postgresql", True): (("asyncpg", "asyncpg"), ("psycopg", "psycopg")),
    ("mysql", False): (("pymysql", "pymysql"), ("MySQLdb", "mysqldb")),
    ("mysql", True): (("aiomysql", "aiomysql"), ("asyncmy", "asyncmy")),
}


def application_drivers(backend: str, asynchronous: bool) -> tuple[tuple[str, str], ...]:
    """Return the drivers that an engine of the application may have, as (module, SQLAlchemy's name), the best first."""
    return _APPLICATIONS[backend, asynchronous]


def native_driver(backend: str, *, asynchronous: bool) -> str | None:
    """Return the name of the driver that an engine of this kind can use itself; None if none is installed."""
    drivers = application_drivers(backend, asynchronous)
    return next((name for module, name in drivers if find_spec(module) is not None), None)


def family(backend: str) -> str:
    """Return the database whose drivers serve `backend`: MariaDB's are MySQL's."""
    return "mysql" if backend == "mariadb" else backend


def driver_named(name: str) -> Driver | None:
    """Return the driver that serves engines of SQLAlchemy's driver `name`, or None if harness has none."""
    return next((driver for driver in DRIVERS if name in driver.serves), None)


def installed(driver: Driver) -> bool:
    """Tell whether the driver's module can be imported."""
    return find_spec(driver.module) is not None


def _one_of(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def drivers_for(backend: str, wanted: Iterable[str]) -> Driver:
    """Choose the driver for a database, given the driver names of the application's engines.

    One driver if all engines agree; the most tolerant of those that are used if they do not; the first that is
    installed if none of the engines is for this database.

    Raises:
        MissingExtra: none is installed.
    """
    known = [driver for driver in DRIVERS if driver.backend == backend]
    candidates = [driver for driver in known if installed(driver)]
    if not candidates:
        raise MissingExtra(_one_of([driver.module for driver in known]), known[0].extra, backend)
    names = set(wanted)
    return next((driver for driver in candidates if driver.serves & names), candidates[0])
