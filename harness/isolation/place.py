"""A database that one test has for itself, and the real connections to it.

Engines keep their own drivers here: an asynchronous connection is opened on the event loop that asks for it, and is
closed on it, at the latest when that loop ends. What an application gave `create_engine` as `connect_args` counts, as
far as it does not say where the database is.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.database.drivers import drivers_for
from harness.errors import EscapeError
from harness.isolation.pinned import Pinned
from harness.isolation.proxy import ConnectionProxy

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Dialect

    from harness.database.clones import Clone

#: Arguments of drivers that say where a database is and who asks for it; the test's database has its own.
_ADDRESS = frozenset(
    {
        "host", "hostaddr", "port", "user", "password", "passfile", "dbname", "database", "dsn", "service", "uri",
        "ssl", "sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "sslnegotiation", "direct_tls",
        "channel_binding", "gssencmode", "krbsrvname", "gsslib", "require_auth", "target_session_attrs",
        "load_balance_hosts", "connection_class", "async_fallback", "async_creator_fn",
        "db", "passwd", "unix_socket", "read_default_file", "read_default_group", "ssl_ca", "ssl_cert", "ssl_key",
        "ssl_disabled", "ssl_key_password", "ssl_mode", "ssl_verify_cert", "ssl_verify_identity", "server_public_key",
    }
)  # fmt: skip

#: Calls an async function on an event loop that is not running in this thread; False if this is not its loop.
OnLoop = Callable[[asyncio.AbstractEventLoop, Callable[[], Any]], bool]


class Place:
    """The database of one test.

    Args:
        provide: gets the database when somebody first connects.
        foreign_keys: whether SQLite shall enforce them, as every other database does.
    """

    def __init__(self, provide: Callable[[], Clone], *, foreign_keys: bool = True) -> None:
        self._provide = provide
        self._foreign_keys = foreign_keys
        self._lock = threading.RLock()
        self._clone: Clone | None = None
        #: Whether the test is over, so that nobody may connect any more.
        self.ended = False
        self._synchronous: list[Any] = []
        self._loops: dict[asyncio.AbstractEventLoop, tuple[list[Any], AsyncGenerator[None]]] = {}
        #: Awaited on the loop of the test, before its connections are closed: what closes the test's own sessions.
        self.farewells: list[Callable[[], Awaitable[None]]] = []
        #: Called once the database is there.
        self.when_provided: Callable[[], None] = lambda: None

    @property
    def used(self) -> bool:
        """Tell whether anybody has asked for the database."""
        return self._clone is not None

    @property
    def clone(self) -> Clone:
        """The database, provided now if it was not."""
        with self._lock:
            if self._clone is None:
                self._clone = self._provide()
                self.when_provided()
            return self._clone

    # -- opening ---------------------------------------------------------------------------------------------------

    def connect(self, dialect: Dialect, given: Mapping[str, Any]) -> Any:
        """Open a connection for an engine.

        Args:
            dialect: the engine's, of the kind that the database is.
            given: what the engine would have opened its own database with.

        Raises:
            EscapeError: the test is over.
        """
        if self.ended:
            raise _too_late()
        arguments, options = dialect.create_connect_args(self.url(dialect))
        kept = {name: value for name, value in given.items() if name not in _ADDRESS and name not in options}
        connection: Any = dialect.connect(*arguments, **{**kept, **options})
        self._remember(connection, asyncio._get_running_loop() if dialect.is_async else None)
        if dialect.name == "sqlite":
            self._prepare_sqlite(connection)
        return connection

    def connect_driven(self) -> Any:
        """Open a connection for a synchronous engine although only an asynchronous driver is installed."""
        clone, driver = self.clone, drivers_for("postgresql", ())
        pinned = Pinned(lambda: driver.connect(clone.url.set(drivername=f"postgresql+{driver.name}")))
        self._remember(pinned, None)
        return ConnectionProxy(pinned, asynchronous=False)

    def url(self, dialect: Dialect) -> URL:
        """Return the database's URL as an engine with this dialect has it."""
        return self.clone.url.set(drivername=f"{dialect.name}+{dialect.driver}")

    def _prepare_sqlite(self, connection: Any) -> None:
        """Make a connection enforce foreign keys, if wanted, and not wait for the disk."""
        cursor = connection.cursor()
        # With autocommit=False, the driver has begun a transaction, in which these settings would do nothing.
        begun = _driver_connection(connection).in_transaction
        if begun:
            cursor.execute("COMMIT")
        if self._foreign_keys:
            cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = OFF")
        for schema, path in self.clone.attached:
            cursor.execute(f'ATTACH DATABASE ? AS "{schema}"', (str(path),))
        if begun:
            cursor.execute("BEGIN")
        cursor.close()

    def _remember(self, connection: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        with self._lock:
            if self.ended:  # while it was being opened
                if loop is None:
                    connection.close()
                else:
                    _abandon(connection)
                raise _too_late()
            if loop is None:
                self._synchronous.append(connection)
                return
            if loop not in self._loops:
                connections: list[Any] = []
                self._loops[loop] = (connections, _until_the_loop_ends(connections, self.farewells))
            self._loops[loop][0].append(connection)

    # -- closing ---------------------------------------------------------------------------------------------------

    def close(self, on_loop: OnLoop) -> None:
        """Close all connections, also those that somebody still holds."""
        with self._lock:
            self.ended = True
            loops, self._loops = self._loops, {}
            synchronous, self._synchronous = self._synchronous, []
        for connection in synchronous:
            with contextlib.suppress(Exception):  # closed already, or in use by a thread that goes on: the drop ends it
                connection.close()
        for loop, (connections, guard) in loops.items():
            _close_on(loop, guard, on_loop)
            for connection in connections:
                _abandon(connection)


def _too_late() -> EscapeError:
    return EscapeError(
        "a connection to a test's own database was asked for after the test",
        why="something that the test started still runs, or kept one of its connections",
        remedy="end threads and tasks in the test that started them",
    )


def _until_the_loop_ends(
    connections: list[Any], farewells: list[Callable[[], Awaitable[None]]]
) -> AsyncGenerator[None]:
    """Return an asynchronous generator that closes connections when it is closed.

    Loops close the generators that are still suspended on them before they end (`shutdown_asyncgens`, which
    `asyncio.run` and pytest's plugins call), so that is when connections are closed that only a loop can close.
    """

    async def guard() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            while farewells:
                await farewells.pop()()
            while connections:
                await _closed(connections.pop())

    made = guard()
    with contextlib.suppress(StopIteration):  # its `yield`: it is suspended now, and the running loop knows it
        made.__anext__().send(None)
    return made


async def _closed(connection: Any) -> None:
    driver_connection = _driver_connection(connection)
    try:
        # aiomysql's and asyncmy's `close` is no coroutine, and takes no leave of the server.
        close = getattr(driver_connection, "ensure_closed", driver_connection.close)
        await asyncio.wait_for(close(), 5)
    except Exception:  # noqa: BLE001 - each driver has its own words for "somebody is using it"
        _abandon(connection)


def _close_on(loop: asyncio.AbstractEventLoop, guard: AsyncGenerator[None], on_loop: OnLoop) -> None:
    async def close() -> None:
        await guard.aclose()

    if loop.is_closed() or on_loop(loop, close):
        return
    if loop.is_running():
        if loop is not asyncio._get_running_loop():
            asyncio.run_coroutine_threadsafe(close(), loop).result(10)
        return
    loop.run_until_complete(close())


def _abandon(connection: Any) -> None:
    """Let go of an asynchronous connection whose loop cannot help any more."""
    driver_connection = _driver_connection(connection)
    with contextlib.suppress(Exception):  # whatever state it is in, the server ends it when the database is dropped
        if hasattr(driver_connection, "pgconn"):  # psycopg
            driver_connection.pgconn.finish()
        elif hasattr(driver_connection, "stop"):  # aiosqlite: its thread
            driver_connection.stop()
        elif hasattr(driver_connection, "ensure_closed"):  # aiomysql, asyncmy
            driver_connection.close()
        else:  # asyncpg
            driver_connection.terminate()


def _driver_connection(connection: Any) -> Any:
    """Return the driver's own connection from SQLAlchemy's adapter for asynchronous ones."""
    return getattr(connection, "driver_connection", connection)


def begin_before_savepoint(connection: Connection, name: str) -> None:
    """Begin a transaction before a savepoint on SQLite: Python's driver does it before other writes only.

    Without it a savepoint is a transaction of its own, and its release commits for good.
    """
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or issubclass(type(raw), ConnectionProxy):
        return
    if not _driver_connection(raw).in_transaction:
        cursor = raw.cursor()
        cursor.execute("BEGIN")
        cursor.close()
