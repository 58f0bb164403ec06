"""One database of a run: where it comes from, its pinned connection, its schema, and the test's own sessions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from harness.config.images import image_for
from harness.config.options import DEFAULT
from harness.errors import DatabaseUnavailable, IsolationError
from harness.run.neighbours import beside, neighbour_of, same_kind

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

    from harness.config.databases import Declared
    from harness.database.handle import Database
    from harness.database.provider import Plan
    from harness.isolation.capture import Registry
    from harness.isolation.target import Target
    from harness.run.apart import Apart
    from harness.run.recovery import Recovery
    from harness.run.run import Run
    from harness.schema.inventory import Inventory
    from harness.schema.plan import SchemaPlan
    from harness.session.maker import Sessions


class Served:
    """A database and all that belongs to it; provided when a statement first needs it.

    Args:
        run: the run.
        declared: what `harness_databases` says about it; nothing about the one of `harness_database`.
    """

    def __init__(self, run: Run, declared: Declared | None = None) -> None:
        self.run = run
        self.declared = declared
        self.name = declared.name if declared is not None else DEFAULT
        self.database: Database | None = None
        self.found: Inventory | None = None
        #: The engines that are captured for it, once SQLAlchemy is in use.
        self.registry: Registry | None = None
        self.built = False
        self._failure: Exception | None = None

    # -- where it comes from ---------------------------------------------------------------------------------------

    @cached_property
    def plan(self) -> Plan:
        """Where the database comes from; decided without starting anything."""
        settings = self.run.settings
        if self.declared is None:
            return self._choose(settings.database, image_for(settings.database, settings.image))
        database = self.declared.database or same_kind(self.run, self.name)
        usual = image_for(database, settings.image) if database == settings.database else None
        return self._choose(database, self.declared.image or usual)

    def _choose(self, database: str, image: str | None) -> Plan:
        from harness.run.workers import plan_of

        return plan_of(self.run, database, image)

    @property
    def url_env(self) -> tuple[str, ...]:
        """The environment variables that its URL is put into."""
        return self.run.settings.url_env if self.declared is None else self.declared.url_env

    def check_plan(self) -> None:
        """Tell now what is wrong with the choice of database, rather than in the middle of an import.

        Raises:
            ConfigError, UnsafeDatabase, DatabaseUnavailable, MissingExtra: it cannot be used.
        """
        from harness.database.drivers.choice import drivers_for

        drivers_for(self.plan.backend, ())

    def rebind(self, url: str) -> None:
        """Use another database, as long as nobody has connected yet.

        Raises:
            IsolationError: the first one is in use.
        """
        self.plan = self._choose(url, image_for(url, self.run.settings.image))
        self.target.rebind(self.plan.backend, self._provide)
        if self.registry is not None:
            self.registry.retarget(self.target)

    @cached_property
    def target(self) -> Target:
        """The database as isolation sees it."""
        from harness.isolation.target import Target

        target = Target(self.plan.backend, self._provide, self._diagnose)
        target.pinned.when_lost = self._lost
        return target

    def _lost(self) -> None:
        self.recovery.expect()
        if self.run.several:
            from harness.run.neighbours import notice_loss

            notice_loss(self)

    def _provide(self) -> Any:
        if self.database is None:
            neighbour = neighbour_of(self)
            self.database = beside(neighbour, self) if neighbour is not None else self.plan.start()
        return self.database.url

    def _diagnose(self) -> str | None:
        with self.run.while_preparing():  # asking the container engine is no call of the application's
            return self.database.diagnose() if self.database is not None else None

    @cached_property
    def recovery(self) -> Recovery:
        """What is done when the connection to it was lost."""
        from harness.run.recovery import Recovery

        return Recovery(self)

    def replace(self) -> None:
        """Give the database up, and provide another one, whose schema the next statement makes."""
        self.apart.forget()
        self._remove()
        self.target.forget()
        self.built = False
        self.target.ensure_ready()
        self.expect_statements()

    @property
    def origin(self) -> str:
        """How the database came to be, for messages."""
        return self.database.origin if self.database is not None else self.plan.backend

    @cached_property
    def apart(self) -> Apart:
        """Databases of single tests, which are copies of this one."""
        from harness.run.apart import Apart

        return Apart(self)

    # -- its schema ------------------------------------------------------------------------------------------------

    @cached_property
    def schema_plan(self) -> SchemaPlan:
        """How the tables are made."""
        from harness.schema.plan import plan_schema
        from harness.session.reference import Origin, resolve

        run = self.run
        origin = Origin(option="harness_schema", example="tests.db:create_schema", error=IsolationError)
        if self.declared is not None:
            origin = replace(origin, option=f"harness_databases, {self.name}: schema")
            wanted = self.declared.schema
        else:
            wanted = run.decisions.get("schema", run.settings.schema)
        return plan_schema(
            wanted,
            self.metadata,
            lambda name: resolve(name, origin),
            run.root,
            counted=run.any_distinct,
            belongs=self._belongs if run.several else None,
        )

    def metadata(self) -> tuple[MetaData, ...]:
        """Return the tables that it has."""
        if not self.run.several:
            return self.run.metadata()
        from harness.run.tables import metadata_of

        return metadata_of(self)

    def _belongs(self, table: Table) -> bool:
        from harness.run.tables import belongs

        return belongs(self, table)

    @cached_property
    def claimed(self) -> frozenset[Table] | None:
        """The tables that `harness_databases` says are its; None if it says nothing."""
        from harness.run.tables import claimed

        return claimed(self)

    def expect_statements(self) -> None:
        """From now on the first statement finds a schema."""
        if not self.built:
            self.target.pinned.on_first_use = self.build

    def build(self) -> None:
        """Make the schema, once.

        Raises:
            Exception: it cannot be made; told again to every test that needs it.
        """
        from harness.run.building import build_schema, check_numbering

        pinned = self.target.pinned
        pinned.on_first_use = None
        if self.built:
            return
        if self._failure is None:
            try:
                with self.run.while_preparing(), self.apart.shared(), pinned.committing():
                    self.run.notes += build_schema(self)
                pinned.schema_changed()
                check_numbering(self)
                self.built = True
                self.apart.schema_built()
                return
            except Exception as error:  # noqa: BLE001 - told again to every test that needs the schema
                self._failure = error
        pinned.on_first_use = self.build
        raise self._failure

    def connect(self) -> None:
        """Provide the database now and connect to it."""
        with self.apart.shared():
            if "recovery" in self.__dict__ and self.recovery.expected:
                self.recovery.recover()
            self.target.ensure_ready()
            if self.registry is not None:
                self.registry.tell_own_urls()

    def ready(self, *, sure: bool = False) -> None:
        """Provide the database and its schema now.

        Args:
            sure: also find out whether the connection lives.
        """
        if sure:
            with suppress(DatabaseUnavailable):  # `connect` sees to it
                self.target.pinned.probe()
        self.connect()
        if not self.built:
            self.build()

    # -- sessions --------------------------------------------------------------------------------------------------

    @cached_property
    def sessions(self) -> Sessions:
        """Makes the test's own engines and sessions."""
        from harness.run.loading import session_class
        from harness.session.maker import Sessions

        run = self.run
        if run.several and self is run.default:
            from harness.run.tables import binds

            return Sessions(
                lambda: self.target.url, self._making_own, partial(session_class, run), run.commits, partial(binds, run)
            )
        return Sessions(lambda: self.target.url, self._making_own, partial(session_class, run), self.apart.commits)

    @contextmanager
    def _making_own(self, asynchronous: bool) -> Iterator[None]:
        from harness.isolation.captured import Own

        assert self.registry is not None
        self.registry.making_own = Own.ASYNC if asynchronous else Own.SYNC
        try:
            yield
        finally:
            self.registry.making_own = None

    # -- the end ---------------------------------------------------------------------------------------------------

    def leave_as_found(self) -> None:
        """Remove from a database that is not harness's own what harness has put there."""
        if self.found is not None and self.target.pinned.connected:
            from harness.run.building import leave_as_found

            leave_as_found(self, self.found)

    def close(self) -> None:
        """Give back connection and database."""
        with ExitStack() as last_first:
            last_first.callback(self._remove)
            if "target" in self.__dict__:
                last_first.callback(self.target.pinned.close)
            if "sessions" in self.__dict__:
                last_first.callback(self.sessions.dispose)

    def _remove(self) -> None:
        if self.database is not None:
            self.database.close()
            self.database = None
