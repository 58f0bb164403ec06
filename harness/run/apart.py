"""Tests that have a database of their own, or commit on the shared one: entered and left as levels are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from harness.config.options import EMPTY
from harness.errors import DatabaseUnavailable, HarnessError, IsolationError

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from sqlalchemy.engine import URL

    from harness.database.clones import Clone, Clones
    from harness.database.drivers import Physical
    from harness.isolation.deletes import Deletes
    from harness.isolation.place import Place
    from harness.run.served import Served


class Apart:
    """Databases of single tests, which are copies of one database of a run.

    Args:
        served: what they are copies of.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        #: How many tests will still ask for a database of their own.
        self.left = 0
        self._clones: Clones | None = None
        self._failure: HarnessError | None = None
        self._place: Place | None = None
        self._kind = ""
        self._clone: Clone | None = None
        self._source: Clones | None = None
        self._empty: Clones | None = None
        self._deletes: Deletes | None = None

    # -- the template ----------------------------------------------------------------------------------------------

    def schema_built(self) -> None:
        """Take the template now that there is a schema and nothing else, if a test will need it."""
        if self.left or self._place is not None or self._served.run.settings.keep_failed:
            self.prepare()

    def prepare(self) -> None:
        """Take the template, once. What is wrong with it is told to those who need it."""
        if self._clones is None and self._failure is None:
            try:
                self._clones = self._make_clones()
            except IsolationError:
                raise  # of this moment only
            except HarnessError as error:
                self._failure = error

    @property
    def clones(self) -> Clones:
        """The copies.

        Raises:
            HarnessError: there can be none.
        """
        self.prepare()
        if self._failure is not None:
            raise self._failure
        assert self._clones is not None
        return self._clones

    def _make_clones(self) -> Clones:
        served, pinned = self._served, self._served.target.pinned
        if served.plan.backend == "sqlite":
            from harness.database.images import ImageClones, image_of

            if pinned.written:
                pinned.rest()  # tells why not
            return ImageClones(image_of(pinned.physical.dbapi), served.run.identity, lambda: self.left, served.run.say)
        from harness.database.warm import WarmClones

        # PostgreSQL copies only what nobody is connected to.
        pinned.rest(disconnect=served.plan.backend == "postgresql")
        return WarmClones(served.target.announced_url(), served.run.identity, lambda: self.left, served.run.say)

    # -- a test ----------------------------------------------------------------------------------------------------

    def enter(self, kind: str) -> None:
        """A test begins that asked for this kind of isolation; nothing is made until it connects."""
        from harness.isolation.place import Place

        registry = self._served.registry
        assert registry is not None
        if self._place is None:
            self.left -= kind == "database"
            self._kind = kind
            # Migrations run as they would in production, where SQLite lets a table be made anew that others refer to.
            self._place = Place(self._provide, foreign_keys=kind != EMPTY)
            registry.enter(self._place)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """While active, engines share the pinned connection as in other tests."""
        registry = self._served.registry
        if registry is None or self._place is None:
            yield
            return
        with registry.shared():
            yield

    def closes(self, close: Callable[[], Awaitable[None]]) -> bool:
        """Let something be closed on its own loop before the test's connections are; False in other tests."""
        if self._place is not None:
            self._place.farewells.append(close)
        return self._place is not None

    @property
    def url(self) -> URL:
        """The URL of the database that the running test uses."""
        return self._place.clone.url if self._place is not None else self._served.target.url

    def is_at(self, url: URL) -> bool:
        """Tell whether a URL, of any driver, leads to the database of the running test."""
        if self._clone is None:
            return False
        backend = self._served.target.backend
        return url.set(drivername=backend) == self._clone.url.set(drivername=backend)

    @property
    def begins_empty(self) -> bool:
        """Tell whether the running test has an empty database."""
        return self._place is not None and self._kind == EMPTY

    def commits(self) -> int:
        """Count the commits on this database, so that a session can tell whether it may be out of date."""
        registry = self._served.registry
        return self._served.target.pinned.commits + (registry.commits if registry is not None else 0)

    def leave(self) -> list[IsolationError]:
        """The test is over: close its connections, and remove its database; return what went wrong."""
        place, self._place = self._place, None
        if place is None:
            return []
        assert self._served.registry is not None
        place.ended = True  # also if a thread has engines share the pinned connection at this moment
        self._served.registry.leave(for_good=True)
        place.close(self._on_loop)
        clone, self._clone = self._clone, None
        if clone is not None and self._source is not None and self._source in (self._clones, self._empty):
            self._source.release(clone)
        if place.used and clone is None and self._deletes is not None:
            return self._deletes.undo(self._served.target.pinned.physical)
        return []

    def _on_loop(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> bool:
        """Call a function on the client's loop, which only its driver may run; False if it is another loop."""
        run = self._served.run
        if "driver" not in run.__dict__ or run.driver.loop is not loop:
            return False
        from harness.client.portal import Portal

        Portal(run.driver).call(function)
        return True

    def _provide(self) -> Clone:
        """Return the database of the running test; called when it first connects."""
        with self.shared():
            if self._kind == EMPTY:
                self._source = self._empties
                self._clone = self._source.acquire()
                return self._clone
            self._served.ready(sure=True)
            pinned = self._served.target.pinned
            if self._kind == "delete" and self._served.plan.backend == "postgresql" and not pinned.written:
                return self._shared_database()
            self._source = clones = self.clones
            try:
                self._clone = self._with_wider_rows(clones) if pinned.written else clones.acquire()
            except DatabaseUnavailable:
                self._clones = None  # the next test takes another template
                clones.close()
                raise
            return self._clone

    @property
    def _empties(self) -> Clones:
        served = self._served
        served.connect()
        if self._empty is None:
            from harness.database.empty import empty_databases

            url = served.target.announced_url()
            self._empty = empty_databases(served.plan.backend, url, served.run.identity, served.run.say)
        return self._empty

    def _shared_database(self) -> Clone:
        from harness.database.clones import Clone
        from harness.isolation.deletes import Deletes

        pinned = self._served.target.pinned
        pinned.rest()
        if self._deletes is None:
            self._deletes = Deletes(pinned.physical)
        return Clone(url=self._served.target.announced_url(), name=str(self._served.target.url.database))

    def _with_wider_rows(self, clones: Clones) -> Clone:
        """Return a copy that also has what fixtures of wider scope have written, which is not committed."""
        source = self._served.target.pinned.physical
        if self._served.plan.backend == "sqlite":
            from harness.database.images import ImageClones, image_of

            assert isinstance(clones, ImageClones)
            return clones.acquire_with(image_of(source.dbapi))
        clone = clones.acquire()
        self.transplant(source, clone)
        return clone

    def transplant(self, source: Physical, clone: Clone) -> None:
        """Give a copy the rows that a connection to the original sees."""
        driver = self._served.target.driver
        target = driver.connect(clone.url.set(drivername=f"{driver.backend}+{driver.name}"))
        with closing(target):
            if driver.backend == "mysql":
                from harness.isolation.mysql_rows import transplant
            else:
                from harness.isolation.rows import transplant
            transplant(source, target)

    # -- the end ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Clone | None:
        """The running test's own database, if it has used one."""
        return self._clone

    def keep_current(self, directory: Path, name: str) -> Clone:
        """Let the running test's own database outlive the run, and return where it will be."""
        assert self._clone is not None
        assert self._source is not None
        return self._source.keep(self._clone, directory, name)

    @property
    def committing(self) -> bool:
        """Tell whether the running test has committed on the shared database."""
        return self._place is not None and self._place.used and self._clone is None

    def forget(self) -> None:
        """The database is gone, and its copies with it."""
        both, self._clones, self._empty = (self._clones, self._empty), None, None
        self._failure = self._deletes = None
        for clones in both:
            if clones is not None:
                clones.abandon()

    def close(self) -> None:
        """Remove every copy that is not to be kept; a test that was interrupted ends first."""
        self.leave()
        with ExitStack() as stack:
            for clones in (self._clones, self._empty):
                if clones is not None:
                    stack.callback(clones.close)
            self._clones = self._empty = None
