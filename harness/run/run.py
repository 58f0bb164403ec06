"""The run: one test database, one application, one pinned connection, made when they are first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.settings import Settings
from harness.errors import IsolationError
from harness.run.arrival import on_arrival
from harness.run.factories import desk_of, factories_bound

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from harness.client.driver import Driver
    from harness.database.handle import Database
    from harness.database.identity import RunIdentity
    from harness.database.provider import Plan
    from harness.factories.desk import Desk
    from harness.isolation.capture import Registry
    from harness.isolation.level import Level
    from harness.isolation.target import Target
    from harness.run.apart import Apart
    from harness.schema.inventory import Inventory
    from harness.schema.plan import SchemaPlan
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
        self._environment, self._stack = environment, ExitStack()
        self._registry: Registry | None = None
        self.database: Database | None = None
        self._schema_error: Exception | None = None
        self._schema_built = self._waiting = False
        self._app: Any = None
        self.found: Inventory | None = None
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
        #: Called once the application is there.
        self.when_loaded: Callable[[], None] = lambda: None

    # -- life ------------------------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Capture engines from now on, or from the moment SQLAlchemy is imported; safe to call twice."""
        if self.active:
            return
        self._check_plan()
        self.active = True
        self.when_active()
        self._announce_url()
        self._stack.enter_context(on_arrival("sqlalchemy", self._capture))
        self._stack.enter_context(factories_bound(self.desk))

    def _check_plan(self) -> None:
        """Tell now what is wrong with the choice of database, rather than in the middle of an import.

        Raises:
            ConfigError, UnsafeDatabase, DatabaseUnavailable, MissingExtra: it cannot be used.
        """
        from harness.database.drivers.choice import drivers_for

        drivers_for(self.plan.backend, ())

    def _announce_url(self) -> None:
        """Put the URL into the environment variables that the application reads when it is imported."""
        if self.settings.url_env:
            from harness.run.announce import announced

            url = self.target.announced_url()
            self._stack.enter_context(announced(self.settings.url_env, url, self._environment))

    def _capture(self) -> None:
        from harness.isolation.capture import capture

        self._registry = self._stack.enter_context(capture(self.target, lambda: self.target.own_engine))
        self._registry.when_made = lambda engine: self.when_engine_made(engine)
        self.when_captured()

    def begin_tests(self) -> None:
        """From now on the first statement finds a schema; before, only the application's import runs statements."""
        if not self.active or self._schema_built:
            return
        if self._registry is not None:
            self._expect_statements()
        elif not self._waiting:
            self._waiting = True
            self._stack.enter_context(on_arrival("sqlalchemy", self._expect_statements))

    def _expect_statements(self) -> None:
        self.target.pinned.on_first_use = self._build_schema

    def close(self) -> None:
        """Give everything back: engines, environment, loop, connection, database."""
        with ExitStack() as last_first:
            last_first.callback(self._close_database)
            last_first.callback(self._stack.close)
            last_first.callback(self._leave_database_as_found)
            last_first.callback(self.apart.close)

    def _close_database(self) -> None:
        if "sessions" in self.__dict__:
            self.sessions.dispose()
        if "target" in self.__dict__:
            self.target.pinned.close()
        if self.database is not None:
            self.database.close()
            self.database = None

    # -- the database ----------------------------------------------------------------------------------------------

    @cached_property
    def plan(self) -> Plan:
        """Where the test database comes from; decided without starting anything."""
        return self._choose(self.settings.database)

    def _choose(self, database: str) -> Plan:
        from harness.database.provider import choose

        return choose(database, self.settings.image, self.settings.allow_database, self.identity, self.say)

    @cached_property
    def identity(self) -> RunIdentity:
        """Who owns what this run starts and creates."""
        from harness.database import identity

        return identity.current()

    def decide(self, decision: str, value: Any) -> None:
        """Let a conftest's decision win over the option."""
        self.decisions[decision] = value
        if decision == "database":
            self._decide_database(str(value))

    def _decide_database(self, url: str) -> None:
        self.plan = self._choose(url)
        self.target.rebind(self.plan.backend, self._provide)
        if self._registry is not None:
            self.target.choose_driver(self._registry.drivers())
            self._registry.redirect_all()

    @cached_property
    def target(self) -> Target:
        """The test database as isolation sees it."""
        from harness.isolation.target import Target

        return Target(self.plan.backend, self._provide, self._diagnose)

    def _provide(self) -> Any:
        if self.database is None:
            self.database = self.plan.start()
        return self.database.url

    def _diagnose(self) -> str | None:
        return self.database.diagnose() if self.database is not None else None

    @property
    def origin(self) -> str:
        """How the test database came to be, for messages."""
        return self.database.origin if self.database is not None else self.plan.backend

    @cached_property
    def apart(self) -> Apart:
        """Databases of single tests."""
        from harness.run.apart import Apart

        return Apart(self)

    # -- the schema ------------------------------------------------------------------------------------------------

    @cached_property
    def schema_plan(self) -> SchemaPlan:
        """How the tables are made."""
        from harness.schema.plan import plan_schema
        from harness.session.reference import Origin, resolve

        origin = Origin(option="harness_schema", example="tests.db:create_schema", error=IsolationError)
        wanted = self.decisions.get("schema", self.settings.schema)
        return plan_schema(
            wanted, self.metadata, lambda name: resolve(name, origin), self.root, counted=self.any_distinct
        )

    def metadata(self) -> tuple[MetaData, ...]:
        """Return the tables of the application."""
        from harness.run.loading import metadata

        return metadata(self)

    def _leave_database_as_found(self) -> None:
        if self.found is not None and self.target.pinned.connected:
            from harness.run.building import leave_as_found

            leave_as_found(self, self.found)

    def _build_schema(self) -> None:
        from harness.run.building import check_numbering, found_in, let_time_advance

        pinned = self.target.pinned
        pinned.on_first_use = None
        if self._schema_built:
            return
        if self._schema_error is None:
            created = self.database is None or self.database.created
            try:
                with self.while_preparing(), self.apart.shared(), pinned.committing():
                    self.found = found_in(self.sessions.engine, self.schema_plan, created=created)
                    let_time_advance(self, before=True)
                    self.notes += self.schema_plan.build(self.sessions.engine)
                    let_time_advance(self, before=False)
                pinned.schema_changed()
                check_numbering(self)
                self._schema_built = True
                self.apart.schema_built()
                return
            except Exception as error:  # noqa: BLE001 - told again to every test that needs the schema
                self._schema_error = error
        pinned.on_first_use = self._build_schema
        raise self._schema_error

    def choose(self, *, ids: str | None = None, now: str | None = None) -> None:
        """Say which ids and which time what runs from now on shall get; by default, what the options say."""
        pinned = self.target.pinned
        pinned.ids = ids or self.settings.ids
        self.advancing = (now or self.settings.now) == "advancing"
        if pinned.moments is not None:
            pinned.moments.advancing = self.advancing

    def frozen_times(self) -> Mapping[str, frozenset[str]]:
        """Return the columns whose default is a time that stands still in the running test, by table."""
        if self._registry is None or self.advancing or self.target.pinned.level.commits:
            return {}
        return self.target.pinned.catalogue.frozen

    def migration_differences(self) -> list[str]:
        """Return where models and migrations differ; nothing if no migration has made this run's schema."""
        from harness.run.building import differences_from_migrations

        return differences_from_migrations(self) if self._schema_built else []

    def connect(self) -> None:
        """Provide the database now and connect to it."""
        self.activate()
        import sqlalchemy  # noqa: F401 - its arrival starts the capture

        with self.apart.shared():
            self.target.ensure_ready()

    def ready(self) -> None:
        """Provide the database and its schema now, so that what is wrong with them is told by the fixture."""
        self.connect()
        if not self._schema_built:
            self._build_schema()

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

    @cached_property
    def sessions(self) -> Sessions:
        """Makes the test's own engines and sessions."""
        from harness.run.loading import session_class
        from harness.session.maker import Sessions

        return Sessions(lambda: self.target.url, self._making_own, partial(session_class, self), self.apart.commits)

    @contextmanager
    def _making_own(self, asynchronous: bool) -> Iterator[None]:
        from harness.isolation.capture import Own

        assert self._registry is not None
        self._registry.making_own = Own.ASYNC if asynchronous else Own.SYNC
        try:
            yield
        finally:
            self._registry.making_own = None

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

    def enter(self, level: Level) -> None:
        """Start a level of isolation."""
        self.target.pinned.enter(level)

    def leave(self, level: Level) -> list[IsolationError]:
        """End a level of isolation and undo its work."""
        return self.target.pinned.leave(level)

    @property
    def registry(self) -> Registry | None:
        """The captured engines, once SQLAlchemy is in use."""
        return self._registry

    @property
    def captured(self) -> bool:
        """Tell whether there are any."""
        return self._registry is not None
