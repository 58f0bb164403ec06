"""The run: one test database, one application, one pinned connection, made when they are first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.settings import Settings
from harness.errors import AppError, IsolationError
from harness.run.arrival import on_arrival

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from harness.client.driver import Driver
    from harness.database.handle import Database
    from harness.database.provider import Plan
    from harness.isolation.capture import Registry
    from harness.isolation.level import Level
    from harness.isolation.target import Target
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
        self._say = say
        self._environment, self._stack = environment, ExitStack()
        self._registry: Registry | None = None
        self._database: Database | None = None
        self._schema_error: Exception | None = None
        self._schema_built = self._waiting = False
        self._app: Any = None
        self._found: Inventory | None = None
        self.active = False
        #: Called once engines are captured; the test that is running then starts its level.
        self.when_captured: Callable[[], None] = lambda: None
        #: Called when the run becomes active, before engines are captured; and with each engine the application makes.
        self.when_active: Callable[[], None] = lambda: None
        self.when_engine_made: Callable[[Any], None] = lambda engine: None
        #: Entered while harness makes the tables, which no test has asked for.
        self.while_preparing: Callable[[], AbstractContextManager[None]] = nullcontext
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
        try:
            self._leave_database_as_found()
            self._stack.close()
        finally:
            if "sessions" in self.__dict__:
                self.sessions.dispose()
            if "target" in self.__dict__:
                self.target.pinned.close()
            if self._database is not None:
                self._database.close()
                self._database = None

    # -- the database ----------------------------------------------------------------------------------------------

    @cached_property
    def plan(self) -> Plan:
        """Where the test database comes from; decided without starting anything."""
        return self._choose(self.settings.database)

    def _choose(self, database: str) -> Plan:
        from harness.database import identity
        from harness.database.provider import choose

        return choose(database, self.settings.image, self.settings.allow_database, identity.current(), self._say)

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
        if self._database is None:
            self._database = self.plan.start()
        return self._database.url

    def _diagnose(self) -> str | None:
        return self._database.diagnose() if self._database is not None else None

    @property
    def origin(self) -> str:
        """How the test database came to be, for messages."""
        return self._database.origin if self._database is not None else self.plan.backend

    # -- the schema ------------------------------------------------------------------------------------------------

    @cached_property
    def schema_plan(self) -> SchemaPlan:
        """How the tables are made."""
        from harness.schema.plan import plan_schema
        from harness.session.reference import Origin, resolve

        origin = Origin(option="harness_schema", example="tests.db:create_schema", error=IsolationError)
        wanted = self.decisions.get("schema", self.settings.schema)
        return plan_schema(wanted, self.metadata, lambda name: resolve(name, origin), self.root)

    def metadata(self) -> tuple[MetaData, ...]:
        """Return the tables of the application."""
        from harness.session.metadata_of import find_metadata, load_metadata

        if "metadata" in self.decisions:
            return tuple(self.decisions["metadata"])
        if self.settings.metadata:
            return load_metadata(self.settings.metadata)
        packages: tuple[str, ...] = ()
        if self.app_spec is not None:
            self.app  # noqa: B018 - importing the application imports its models
            packages = (self.app_spec.partition(":")[0].partition(".")[0],)
        return find_metadata(packages, root=self.root)

    def _leave_database_as_found(self) -> None:
        """Remove from a database that is not harness's own what harness has put there."""
        if self._found is not None and self.target.pinned.connected:
            from harness.schema.inventory import remove_since

            remove_since(self._found, self.sessions.engine)

    def _build_schema(self) -> None:
        from harness.schema.inventory import Inventory, inventory, remove_since

        pinned = self.target.pinned
        pinned.on_first_use = None
        if self._schema_built:
            return
        if self._schema_error is None:
            try:
                with self.while_preparing(), pinned.committing():
                    if self._database is not None and not self._database.created:
                        self._found = inventory(self.sessions.engine)
                    elif self.schema_plan.how.startswith("alembic"):
                        # Migrations start from nothing, also if the application made its tables when it was imported.
                        remove_since(
                            Inventory(tables=frozenset(), enums=frozenset(), schemas=frozenset({"public"})),
                            self.sessions.engine,
                        )
                    self.notes += self.schema_plan.build(self.sessions.engine)
                pinned.schema_changed()
                self._schema_built = True
                return
            except Exception as error:  # noqa: BLE001 - told again to every test that needs the schema
                self._schema_error = error
        pinned.on_first_use = self._build_schema
        raise self._schema_error

    def migration_differences(self) -> list[str]:
        """Return where models and migrations differ; nothing if no migration has made this run's schema."""
        from harness.schema.comparison import differences

        if not self._schema_built or not self.schema_plan.how.startswith("alembic"):
            return []
        with self.target.pinned.committing():
            return differences(self.sessions.engine, self.metadata())

    def connect(self) -> None:
        """Provide the database now and connect to it."""
        self.activate()
        import sqlalchemy  # noqa: F401 - its arrival starts the capture

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
        if self._app is None:
            self.activate()
            decided = self.decisions.get("app")
            if decided is not None and not isinstance(decided, str):
                self._app = decided
            elif self.app_spec is None:
                raise AppError(
                    "no application is named, and none was found in the usual places",
                    where=str(self.root),
                    remedy='name it in the pytest configuration: harness_app = "myapp.main:app"',
                )
            else:
                self._app = self._import_app(self.app_spec)
            self._fill_placeholders()
            self.when_loaded()
        return self._app

    def _import_app(self, spec: str) -> Any:
        """Import the application. What it does to the database meanwhile belongs to the run, not to one test."""
        from harness.session.application import load_app

        if not self.captured or any(level.opened for level in self.target.pinned.levels[1:]):
            return load_app(spec)
        pinned = self.target.pinned
        first, pinned.on_first_use = pinned.on_first_use, None
        try:
            with pinned.committing():
                return load_app(spec)
        finally:
            pinned.on_first_use = first

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
        from harness.session.maker import Sessions

        return Sessions(
            lambda: self.target.url, self._making_own, self._session_class, lambda: self.target.pinned.commits
        )

    @contextmanager
    def _making_own(self, asynchronous: bool) -> Iterator[None]:
        from harness.isolation.capture import Own

        assert self._registry is not None
        self._registry.making_own = Own.ASYNC if asynchronous else Own.SYNC
        try:
            yield
        finally:
            self._registry.making_own = None

    def _session_class(self, asynchronous: bool) -> type[Any] | None:
        from harness.session.maker import plain_class

        if self.app_spec is None and "app" not in self.decisions:
            return None
        self.app  # noqa: B018 - its dependencies are known once it is imported
        for dependency in self.dependencies:
            if dependency.kind.is_async is asynchronous and dependency.session_class is not None:
                return plain_class(dependency.session_class)
        return None

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
