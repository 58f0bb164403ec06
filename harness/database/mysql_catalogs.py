"""Databases on a MySQL or MariaDB server: created, copied, dropped, and those of dead runs swept.

As on PostgreSQL (`catalogs.py`), but for what these servers lack:

- A database has no comment that all of them keep. So a run's labels are in a table of a database of its own,
  `…_harness_<run id>_owner`, which is made before the run's first one and dropped after its last.
- A copy is made object by object (`mysql_copies.py`), and takes what is committed; others may be connected meanwhile.
- A drop waits for whoever holds a lock in the database, so those who are connected to it are cut off first.
- A run that lives holds a lock that is called `harness <run id>`, where another machine can see it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.database.drivers.choice import drivers_for
from harness.database.identity import RUN
from harness.database.mysql_copies import copy_database, quoted
from harness.database.names import belongs, run_of
from harness.database.run_catalogs import KEPT, MADE, Found, Room, RunCatalogs

if TYPE_CHECKING:
    from harness.database.drivers import Physical
    from harness.errors import DatabaseUnavailable

_OWNER = "_owner"
#: Seconds that a statement waits for somebody's lock; the server would let it wait for a year.
_PATIENCE = 60


class MysqlCatalogs(RunCatalogs):
    """Creates and drops databases on the MySQL or MariaDB server of a URL, for one run."""

    longest = 64

    # -- creating and dropping -------------------------------------------------------------------------------------

    def create(self, name: str, template: str | None = None, *, connections: bool = True) -> None:
        """Create a database.

        Args:
            name: as `name` gave it.
            template: the database to copy; an empty one in UTF-8 without it.
            connections: for what PostgreSQL needs; here anybody may connect.

        Raises:
            DatabaseUnavailable: the user may not, something in the template cannot be copied, …
        """
        with self._lock:
            try:
                self._sign()
                if template is None:
                    self._admin.script(f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4")
                else:
                    copy_database(self._admin, template, name)
            except Exception as problem:  # each driver has exceptions of its own
                if template is not None:
                    self._drop_unfinished(name)
                raise self._refused(problem, template) from problem

    def _drop_unfinished(self, name: str) -> None:
        with suppress(Exception):  # why it is unfinished is what is told; the end of the run tries again
            self.drop(name)

    def _sign(self) -> None:
        """Say whose the databases of this run are."""
        owner = quoted(self._owner_of(self._run.run_id))
        labels = _literal(json.dumps(self._run.labels()))
        self._admin.script(
            f"CREATE DATABASE IF NOT EXISTS {owner}",
            f"CREATE TABLE IF NOT EXISTS {owner}.owner (one INT PRIMARY KEY, labels TEXT, made BIGINT)",
            f"INSERT IGNORE INTO {owner}.owner VALUES (1, {labels}, UNIX_TIMESTAMP())",
        )

    def _owner_of(self, run_id: str) -> str:
        tail = f"_harness_{run_id}{_OWNER}"
        return self._base.encode()[: self.longest - len(tail)].decode(errors="ignore") + tail

    def drop(self, name: str) -> None:
        """Drop a database of this run; one that is gone already is no error."""
        self._own(name)
        with self._lock:
            self._drop(name)
            left = [other for other in self._names() if run_of(other) == self._run.run_id]
            if all(other.endswith(_OWNER) for other in left):
                self._admin.script(*(f"DROP DATABASE IF EXISTS {quoted(other)}" for other in left))

    def _drop(self, name: str) -> None:
        mine = f"WHERE DB = {_literal(name)} AND ID <> CONNECTION_ID()"
        for connected in self._admin.scalars(f"SELECT ID FROM information_schema.PROCESSLIST {mine}"):
            with suppress(Exception):  # it has gone by itself; or it is somebody's whom this user may not cut off
                self._admin.script(f"KILL {int(connected)}")
        self._admin.script(f"DROP DATABASE IF EXISTS {quoted(name)}")

    def keep(self, name: str) -> None:
        """Let a database outlive the run: neither `drop_all` nor a sweep will take it."""
        path = f"""'$."{KEPT}"'"""
        with self._lock:
            self._admin.script(
                f"UPDATE {quoted(self._owner_of(self._run.run_id))}.owner SET labels = json_set(labels, {path},"
                f" concat(coalesce(json_unquote(json_extract(labels, {path})), ''), {_literal(f' {name}')}))"
            )

    def drop_all(self, *, but: str | None = None) -> None:
        """Drop every database of this run, in a worker every one of that worker, that is not to be kept."""
        keeping = self._labels(self._owner_of(self._run.run_id)).get(KEPT, "").split()
        for name in self._names():
            if belongs(name, self._run) and name not in (but, *keeping) and not name.endswith(_OWNER):
                self.drop(name)

    # -- looking ---------------------------------------------------------------------------------------------------

    def claim(self, name: str, *, shared: bool) -> bool:
        """Say that this run uses a database that is not its own, until `close`; False if another run does already.

        These servers have no locks to share, so sharing is to find nobody who has it alone; it lasts for one copy.
        """
        lock = _literal(f"harness {name}"[:64])
        with self._lock:
            got = self._admin.scalars(f"SELECT IS_FREE_LOCK({lock})" if shared else f"SELECT GET_LOCK({lock}, 0)")
            return 1 in got

    def room(self) -> Room:
        """Return how many connections the server has left for the user of the URL."""
        with self._lock:
            most = int(self._admin.scalars("SELECT @@max_connections")[0])
            of_user = int(self._admin.scalars("SELECT @@max_user_connections")[0])
            used = int(self._admin.scalars("SELECT count(*) FROM information_schema.PROCESSLIST")[0])
        if 0 < of_user < most:
            return Room(of_user - used, f"max_user_connections is {of_user}")
        return Room(most - used, f"max_connections is {most}")

    def found(self) -> list[Found]:
        """Return the databases on the server that some run has made; a run's labelled one is the last of them."""
        names, labels = self._names(), {}
        for name in names:
            if name.endswith(_OWNER):
                labels[run_of(name)] = self._labels(name)
        whose = [Found(name, _of_one(name, labels.get(run_of(name)) or {}, names)) for name in names]
        return sorted((found for found in whose if found.labels), key=lambda found: found.name.endswith(_OWNER))

    def _names(self) -> list[str]:
        with self._lock:
            return [
                str(name)
                for name in self._admin.scalars(
                    "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
                    " WHERE SCHEMA_NAME REGEXP '_harness_[0-9a-f]{8}_' ORDER BY SCHEMA_NAME"
                )
            ]

    def _labels(self, owner: str) -> dict[str, str]:
        try:
            with self._lock:
                rows = self._admin.scalars(f"SELECT concat(made, ' ', labels) FROM {quoted(owner)}.owner")
        except Exception:  # noqa: BLE001 - being made or dropped at this moment, or not for this user to read
            return {}
        made, _, text = str(rows[0] if rows else "").partition(" ")
        labels: dict[str, str] = {**json.loads(text or "{}"), MADE: made}
        return labels if labels.get(RUN) == run_of(owner) else {}

    def _absent(self, run_id: str) -> bool:
        return bool(self._admin.scalars(f"SELECT IS_FREE_LOCK({_literal(f'harness {run_id}')})")[0])

    def _age(self, made: int) -> int:
        return int(self._admin.scalars(f"SELECT UNIX_TIMESTAMP() - {made}")[0])

    # -- the connection --------------------------------------------------------------------------------------------

    def _connect(self) -> Physical:
        driver = drivers_for("mysql", ())
        # Without a database of its own, it works also once that of the URL is gone.
        url = self._url.set(drivername=f"mysql+{driver.name}")._replace(database=None)
        try:
            made = driver.connect(url)
        except Exception as problem:  # each driver has exceptions of its own
            raise self._refused(problem) from problem
        made.script(f"SET SESSION lock_wait_timeout = {_PATIENCE}")
        made.scalars(f"SELECT GET_LOCK({_literal(f'harness {self._run.run_id}')}, 0)")
        return made

    def _refused(self, problem: Exception, template: str | None = None) -> DatabaseUnavailable:
        code = problem.args[0] if problem.args else None
        user = self._url.username or "the user"
        remedy = "see to what the server says"
        if code in (1044, 1142, 1227):
            remedy = (
                f"let the user create databases: GRANT ALL ON `{self._base}\\_harness\\_%`.* TO '{user}'\n"
                'or do with isolation="rollback" on this server, and without workers: -n 0'
            )
        elif code in (1040, 1203, 1226):
            remedy = "raise max_connections, or let fewer runs and workers use the server at once"
        copied = f"it is copied from {template}, and " if template else ""
        return self._could_not(f"{copied}the server says: {self._said(problem)}", remedy)


def _of_one(name: str, labels: dict[str, str], names: list[str]) -> dict[str, str]:
    """Return the labels of one database of a run: it is kept if it is among those that are, or tells whose they are."""
    kept = [other for other in labels.get(KEPT, "").split() if other in names]
    if name in kept or (kept and name.endswith(_OWNER)):
        return labels
    return {key: value for key, value in labels.items() if key != KEPT}


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
