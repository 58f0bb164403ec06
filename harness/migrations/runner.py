"""What the fixture `migrations` gives: a database of the test's own, brought to one revision or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, MigrationError
from harness.migrations.failures import failed
from harness.schema.environment import run_apart

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine, MetaData, Table

    from harness.migrations.history import History, Revision


class Migrations:
    """Upgrades and downgrades a database that the test has for itself, with real commits.

    Args:
        config: makes Alembic's configuration, and provides the database for it; called when it is first needed.
        history: the revisions that it names.
        engine: connects to the test's database.
        models: finds the tables of the application.
        aside: entered while Alembic works, whose statements are not the test's.
        irreversible: revisions that need not be downgraded.
        stranger: says that the application is made for another kind of database, if it is.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        history: History,
        engine: Callable[[], Engine],
        models: Callable[[], Sequence[MetaData]],
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
        irreversible: Sequence[str] = (),
        stranger: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._make_config = config
        self._engine = engine
        self._models = models
        self._aside = aside
        self._stranger = stranger
        #: All revisions of the project.
        self.history = history
        self._irreversible = frozenset(self.history[name].id for name in irreversible)

    @cached_property
    def config(self) -> Config:
        """Alembic's configuration, whose `sqlalchemy.url` is that of the test's database."""
        return self._make_config()

    # -- what there is ---------------------------------------------------------------------------------------------

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All revisions of the project, oldest first."""
        return self.history.revisions

    @property
    def heads(self) -> tuple[str, ...]:
        """The ids of the revisions that nothing follows; one, if all is well."""
        return self.history.heads

    @property
    def current(self) -> tuple[str, ...]:
        """The revisions that the database is at: none while it is empty."""
        from alembic.runtime.migration import MigrationContext

        with self.engine.connect() as connection:
            return tuple(MigrationContext.configure(connection).get_current_heads())

    def may_stay(self, revision: str) -> bool:
        """Tell whether harness_irreversible names a revision, which need not be downgraded then."""
        return self.history[revision].id in self._irreversible

    # -- up and down -----------------------------------------------------------------------------------------------

    def upgrade(self, revision: str = "heads") -> None:
        """Upgrade the database to a revision: an id, the beginning of one, `heads`, or what Alembic understands.

        Raises:
            MigrationError: a migration fails, and which; or there is no such revision.
        """
        target = self._named(revision)
        self._run(f"the upgrade to {revision}", lambda command: command.upgrade(self.config, target))

    def downgrade(self, revision: str) -> None:
        """Downgrade the database to a revision, or to `base`, which undoes all of them.

        Raises:
            MigrationError: a migration fails, and which; or there is no such revision.
        """
        target = self._named(revision)
        self._run(f"the downgrade to {revision}", lambda command: command.downgrade(self.config, target))

    def at(self, revision: str) -> None:
        """Bring the database to a revision, upwards or downwards, whichever it takes.

        Raises:
            MigrationError: as `upgrade` and `downgrade`.
        """
        target = self.history[revision].id
        current = self.current
        if target in current:
            return
        if any(target in self.history.ancestors(one) for one in current):
            self.downgrade(target)
        else:
            self.upgrade(target)

    def before(self, revision: str) -> None:
        """Bring the database to where a revision begins: whatever it follows and depends on is there, and it is not.

        Raises:
            MigrationError: as `upgrade` and `downgrade`.
        """
        wanted = self.history[revision]
        if any(wanted.id in self.history.ancestors(one) for one in self.current):
            self.downgrade(wanted.follows[0] if wanted.follows else "base")
        for one in wanted.before or ("base",):  # that makes Alembic's own table, and nothing else
            self.upgrade(one)

    def differences(self) -> list[str]:
        """Return where models and database differ, one short text each; compared as env.py says.

        Raises:
            MigrationError: the database is not at the newest revision, or env.py fails.
        """
        from harness.migrations.comparing import differences

        found: list[str] = self._doing("the comparison", lambda: differences(self.config, self.history, self._models))
        return found

    def _named(self, revision: str) -> str:
        """Return a revision as Alembic takes it: relative ones and branches are left as they are."""
        if revision in ("head", "heads", "base") or any(sign in revision for sign in "+-@:") or not revision:
            return revision or "base"
        if any(revision in one.id for one in self.revisions):
            return self.history[revision].id
        branches = {label for one in self.history.script.walk_revisions() for label in one.branch_labels}
        if revision in branches:
            return revision
        raise self.history.unknown(revision)

    def _run(self, step: str, act: Callable[[Any], None]) -> None:
        from alembic import command

        self._doing(step, lambda: run_apart(lambda: act(command)))

    def _doing(self, step: str, act: Callable[[], Any]) -> Any:
        __tracebackhide__ = True
        try:
            with self._aside():
                return act()
        except HarnessError:
            raise
        except Exception as problem:
            raise failed(problem, self.history, step, self._stranger()) from problem

    # -- rows ------------------------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """An engine of the test's database."""
        return self._engine()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection to the test's database; what was sent is committed at the end of the block."""
        with self.engine.begin() as connection:
            yield connection

    def table(self, name: str, *, schema: str | None = None) -> Table:
        """Return a table as it is in the database now, which may be long before the models.

        Raises:
            MigrationError: there is none of that name at this revision.
        """
        from sqlalchemy import MetaData, Table, inspect
        from sqlalchemy.exc import NoSuchTableError

        try:
            return Table(name, MetaData(), autoload_with=self.engine, schema=schema)
        except NoSuchTableError:
            known = ", ".join(sorted(inspect(self.engine).get_table_names(schema))) or "none"
        at = ", ".join(self.current) or "no revision"
        raise MigrationError(
            f"there is no table {name!r} in the database",
            where=f"the database is at {at}",
            remedy=f"there are: {known}\nor upgrade to the revision that makes it",
        )

    def insert(self, table: str, *rows: Mapping[str, Any], schema: str | None = None) -> None:
        """Insert rows into a table as it is now, and commit.

        Raises:
            MigrationError: there is no such table or column at this revision.
        """
        target = self.table(table, schema=schema)
        unknown = sorted({name for row in rows for name in row} - {column.name for column in target.columns})
        if unknown:
            raise MigrationError(
                f"table {table} has no column {', '.join(unknown)}",
                where=f"the database is at {', '.join(self.current) or 'no revision'}",
                remedy=f"there are: {', '.join(column.name for column in target.columns)}",
            )
        with self.connect() as connection:
            for row in rows:  # one by one, as they may have different columns
                connection.execute(target.insert().values(**row))

    def rows(self, table: str, *, schema: str | None = None) -> list[dict[str, Any]]:
        """Return all rows of a table as it is now, ordered by its primary key.

        Raises:
            MigrationError: there is no such table at this revision.
        """
        from sqlalchemy import select

        target = self.table(table, schema=schema)
        with self.connect() as connection:
            found = connection.execute(select(target).order_by(*target.primary_key.columns))
            return [dict(row._mapping) for row in found]
