"""The run: one test database, one application, one pinned connection, made when they are first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.settings import Settings
from harness.run.arrival import on_arrival
from harness.run.factories import desk_of, factories_bound

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from harness.client.driver import Driver
    from harness.database.handle import Database
    from harness.database.identity import RunIdentity
    from harness.database.provider import Plan
    from harness.errors import IsolationError
    from harness.factories.desk import Desk
    from harness.isolation.capture import Captor
    from harness.isolation.level import Level
    from harness.isolation.stack import Stack
    from harness.isolation.target import Target
    from harness.run.apart import Apart
    from harness.run.served import Served
    from harness.session.locate import SessionDependency
    from harness.session.maker import Sessions


class Run:
    """All that lives as long as the test run.

    Args:
        settings: what the user asked for.
        root: the project's directory.
        say: tells the user about something slow, such as an image that is being pulled.
        environment: where the database's URL is announced to the application.
    """

    def __init__(
        self,
        settings: Settings,
        root: Path,
        say: Callable[[str], None],
        environment: dict[str, str] | os._Environ[str] = os.environ,
    ) -> None:
        self.settings = settings
        self.root = root
        self.notes: list[str] = []
        #: Decisions that a conftest made by overriding a `harness_…` fixture; they win over the options.
        self.decisions: dict[str, Any] = {}
        self.say = say
        #: What the controller of pytest-xdist has told this process, if it is a worker.
        self.told: dict[str, Any] | None = None
        self._environment, self._stack = environment, ExitStack()
        self._captor: Captor | None = None
        self._waiting = False
        self._app: Any = None
        self.active = False
        #: Whether any test of this run wants time that advances, or ids that differ between tables.
        self.any_advancing = self.advancing = settings.now == "advancing"
        self.any_distinct = settings.ids == "distinct"
        #: Called once engines are captured; the test that is running then starts its level.
        self.when_captured: Callable[[], None] = lambda: None
        #: Called when the run becomes active, before engines are captured; and with each engine the application makes.
        self.when_active: Callable[[], None] = lambda: None
        self.when_engine_made: Callable[[Any], None] = lambda engine: None
        #: Entered while harness makes the tables, which no test has asked for.
        self.while_preparing: Callable[[], AbstractContextManager[None]] = nullcontext
        #: Called with each session that is made for the test's own use.
        self.when_session_made: Callable[[Any], None] = lambda session: None
        #: Called with one that is on a database other than the default.
        self.when_named_session_made: Callable[[Any], None] = lambda session: None
        #: Called once the application is there.
        self.when_loaded: Callable[[], None] = lambda: None

    # -- life ------------------------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Capture engines from now on, or from the moment SQLAlchemy is imported; safe to call twice."""
        if self.active:
            return
        for served in self.served:
            served.check_plan()
        self.active = True
        self.when_active()
        self._announce_url()
        if self.several:
            from harness.run.capturing import settling

            self._stack.enter_context(settling(self))
        self._stack.enter_context(on_arrival("sqlalchemy", self._capture))
        self._stack.enter_context(factories_bound(self.desk))

    def _announce_url(self) -> None:
        """Put the URLs into the environment variables that the application reads when it is imported."""
        for served in self.served:
            if served.url_env:
                from harness.run.announce import announced

                url = served.target.announced_url()
                self._stack.enter_context(announced(served.url_env, url, self._environment))

    def _capture(self) -> None:
        from harness.run.capturing import captured

        self._captor = self._stack.enter_context(captured(self))
        self.when_captured()

    def begin_tests(self) -> None:
        """From now on the first statement finds a schema; before, only the application's import runs statements."""
        if self.several and self._captor is not None:
            self._captor.settle()
        if not self.active or all(served.built for served in self.served):
            return
        if self.captured:
            self._expect_statements()
        elif not self._waiting:
            self._waiting = True
            self._stack.enter_context(on_arrival("sqlalchemy", self._expect_statements))

    def _expect_statements(self) -> None:
        for served in self.served:
            served.expect_statements()

    def at_end(self, close: Callable[[], None]) -> None:
        """Have something closed when the run ends."""
        self._stack.callback(close)

    def close(self) -> None:
        """Give everything back: engines, environment, loop, connections, databases."""
        if not self.active:
            return
        with ExitStack() as last_first:
            for served in self.served:  # the first one last, as others may be on its server
                last_first.callback(served.close)
            last_first.callback(self._stack.close)
            for served in self.served:
                last_first.callback(served.leave_as_found)
                last_first.callback(served.apart.close)

    # -- the database ----------------------------------------------------------------------------------------------

    @cached_property
    def default(self) -> Served:
        """The database of a run that names no others."""
        from harness.run.served import Served

        return Served(self)

    @property
    def served(self) -> tuple[Served, ...]:
        """All databases of the run, the default one first."""
        return (self.default, *self._further)

    @cached_property
    def _further(self) -> tuple[Served, ...]:
        if not self.several:
            return ()
        from harness.run.several import further

        return further(self)

    @property
    def several(self) -> bool:
        """Tell whether it was declared which engines belong to which database."""
        return bool(self.settings.further)

    @property
    def plan(self) -> Plan:
        """Where the test database comes from; decided without starting anything."""
        return self.default.plan

    @cached_property
    def identity(self) -> RunIdentity:
        """Who owns what this run starts and creates."""
        from harness.run.workers import identity_of

        return identity_of(self.told)

    def decide(self, decision: str, value: Any) -> None:
        """Let a conftest's decision win over the option."""
        self.decisions[decision] = value
        if decision == "database":
            self.default.rebind(str(value))

    @property
    def target(self) -> Target:
        """The test database as isolation sees it."""
        return self.default.target

    @property
    def database(self) -> Database | None:
        """The test database, once it is provided."""
        return self.default.database

    @property
    def origin(self) -> str:
        """How the test database came to be, for messages."""
        return self.default.origin

    @property
    def apart(self) -> Apart:
        """Databases of single tests."""
        return self.default.apart

    # -- the schema ------------------------------------------------------------------------------------------------

    def metadata(self) -> tuple[MetaData, ...]:
        """Return the tables of the application."""
        from harness.run.loading import metadata

        return metadata(self)

    def choose(self, *, ids: str | None = None, now: str | None = None) -> None:
        """Say which ids and which time what runs from now on shall get; by default, what the options say."""
        self.advancing = (now or self.settings.now) == "advancing"
        for served in self.served:
            pinned = served.target.pinned
            pinned.ids = ids or self.settings.ids
            if pinned.moments is not None:
                pinned.moments.advancing = self.advancing

    def frozen_times(self) -> Mapping[str, frozenset[str]]:
        """Return the columns whose default is a time that stands still in the running test, by table."""
        if not self.captured or self.advancing or self.target.pinned.level.commits:
            return {}
        if not self.several:
            return self.target.pinned.catalogue.frozen
        catalogues = [served.target.pinned.catalogue for served in self.served]
        return {table: found for catalogue in catalogues for table, found in catalogue.frozen.items()}

    def migration_differences(self) -> list[str]:
        """Return where models and migrations differ; nothing if no migration has made this run's schema."""
        from harness.run.building import differences_from_migrations

        return differences_from_migrations(self.default) if self.default.built else []

    def connect(self) -> None:
        """Provide the database now and connect to it."""
        self.activate()
        import sqlalchemy  # noqa: F401 - its arrival starts the capture

        self.default.connect()

    def ready(self) -> None:
        """Provide the database and its schema now, so that what is wrong with them is told by the fixture."""
        self.connect()
        if not self.default.built:
            self.default.build()

    # -- the application -------------------------------------------------------------------------------------------

    @cached_property
    def app_spec(self) -> str | None:
        """The application's reference; None if none was named and none can be found."""
        if "app" in self.decisions and isinstance(self.decisions["app"], str):
            return str(self.decisions["app"])
        if self.settings.app is not None:
            return self.settings.app
        from harness.session.discover import discover_app

        return discover_app(self.root)

    @property
    def app(self) -> Any:
        """The application, imported when it is first asked for.

        Raises:
            AppError: none was named and none can be found, or it cannot be imported.
        """
        from harness.run.loading import application

        if self._app is None:
            self.activate()
            self._app = application(self)
            self._fill_placeholders()
            self.when_loaded()
        return self._app

    @property
    def loaded_app(self) -> Any:
        """The application if it has been imported, by harness or by a test module, else None."""
        if self._app is None and self.settings.app is not None:
            module, _, name = self.settings.app.partition(":")
            found = getattr(sys.modules.get(module), name, None)
            return found if hasattr(found, "dependency_overrides") else None
        return self._app

    @cached_property
    def dependencies(self) -> tuple[SessionDependency, ...]:
        """The dependencies through which the application gets its sessions: those named, or those found."""
        from harness.session.locate import find_session_dependencies, named_dependencies

        if self.settings.get_db:
            return named_dependencies(self.app, self.settings.get_db)
        return find_session_dependencies(self.app)

    def _fill_placeholders(self) -> None:
        from harness.session.override import fill_placeholders

        self.notes += [f"{name} is given a session" for name in fill_placeholders(self.dependencies, self.sessions)]

    # -- sessions, clients -----------------------------------------------------------------------------------------

    @property
    def sessions(self) -> Sessions:
        """Makes the test's own engines and sessions."""
        return self.default.sessions

    @cached_property
    def desk(self) -> Desk:
        """The sessions of factories, which are the test's own."""
        return desk_of(self)

    @cached_property
    def driver(self) -> Driver:
        """The loop on which the blocking client runs the application."""
        from harness.client.driver import Driver
        from harness.isolation.asynchronous import suspended

        driver = Driver(busy=suspended)
        self._stack.callback(driver.close)
        return driver

    # -- levels ----------------------------------------------------------------------------------------------------

    @property
    def stack(self) -> Stack:
        """The levels of isolation, of all databases."""
        from harness.isolation.stack import Stack

        return Stack([served.target.pinned for served in self.served])

    def enter(self, level: Level) -> None:
        """Start a level of isolation."""
        self.stack.enter(level)

    def leave(self, level: Level) -> list[IsolationError]:
        """End a level of isolation and undo its work."""
        return self.stack.leave(level)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """While active, engines share the pinned connections, also in a test that has databases of its own."""
        with ExitStack() as stack:
            for served in self.served if self.active else ():
                stack.enter_context(served.apart.shared())
            yield

    def close_apart(self, close: Callable[[], Awaitable[None]]) -> bool:
        """Let something be closed on its own loop before the test's real connections are; False in other tests."""
        real = [served.apart.closes(close) for served in self.served]
        return any(real)

    def commits(self) -> int:
        """Count the commits of the run, so that a session can tell whether it may be out of date."""
        return sum(served.apart.commits() for served in self.served)

    @property
    def registry(self) -> Captor | None:
        """The captured engines, once SQLAlchemy is in use."""
        return self._captor

    @property
    def captured(self) -> bool:
        """Tell whether there are any."""
        return self._captor is not None
