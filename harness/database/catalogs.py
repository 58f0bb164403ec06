"""Databases on a PostgreSQL server: created, copied, dropped, and those of dead runs swept. The one file with that SQL.

Facts that whoever uses it can rely on, whatever the databases are for:

- A database of a run is called `<base>_harness_<run id>_<suffix>` (`names.py`), never longer than the server allows,
  and carries the run's labels (`identity.py`) as its comment. Nothing else is ever dropped. A run's first database
  stays until its last one is dropped: where a comment is missing, because the run was killed, its sibling's counts.
- A copy (`create(…, template=…)`) takes what is committed in the template. The server refuses it while anybody else is
  connected to the template; a template made with `connections=False` cannot be connected to, so it never is.
- Several copies of one template may be made at once, each by a `Catalogs` of its own. It is connected to the database
  `postgres`, or, where that is closed to the role, to the one of the URL; so the database of the URL can be a template,
  if its user lets go of it.
- While an instance is connected, a session of the server is called `harness <run id>`. A run whose labels are of
  another machine counts as dead if there is no such session and its database is older than an hour.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.database.drivers.choice import drivers_for
from harness.database.identity import HOST, RUN
from harness.database.names import belongs, run_of
from harness.database.run_catalogs import KEPT, MADE, Found, Room, RunCatalogs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import URL

    from harness.database.drivers import Physical
    from harness.database.identity import RunIdentity
    from harness.errors import DatabaseUnavailable


class Catalogs(RunCatalogs):
    """Creates and drops databases on the PostgreSQL server of a URL, for one run."""

    longest = 63

    def __init__(self, url: URL, run: RunIdentity) -> None:
        super().__init__(url, run)
        #: Whether the connection is not to the database of the URL.
        self._elsewhere = True

    # -- creating and dropping -------------------------------------------------------------------------------------

    def create(self, name: str, template: str | None = None, *, connections: bool = True) -> None:
        """Create a database.

        Args:
            name: as `name` gave it.
            template: the database to copy; an empty one in UTF-8 without it.
            connections: whether anybody may connect to it.

        Raises:
            DatabaseUnavailable: the role may not, the template is in use, the server has no connection or room left.
        """
        # A template1 in another encoding (SQL_ASCII) makes psycopg return bytes, so it is not inherited.
        source = _quoted(template) if template else "template0 ENCODING 'UTF8'"
        closed = "" if connections else " ALLOW_CONNECTIONS false"
        with self._lock:
            try:
                self._admin.script(f"CREATE DATABASE {_quoted(name)} TEMPLATE {source}{closed}")
            except Exception as problem:  # each driver has exceptions of its own
                raise self._refused(template, problem) from problem
            self._label(name, self._run.labels())

    def let_wait(self, name: str, duration: str) -> None:
        """Let statements in a database wait for a lock no longer than this, as in `10s`."""
        with self._lock:
            self._admin.script(f"ALTER DATABASE {_quoted(name)} SET lock_timeout = {_literal(duration)}")

    def drop(self, name: str) -> None:
        """Drop a database of this run, ending the connections to it; one that is gone already is no error."""
        self._own(name)
        self._drop(name)

    def drop_template(self, name: str) -> None:
        """Drop a template that outlives runs."""
        if not name.startswith("harness_template_"):
            raise ValueError(f"{name} is not a template of harness")
        self._drop(name)

    def keep(self, name: str) -> None:
        """Let a database outlive the run: neither `drop_all` nor a sweep will take it."""
        self._label(name, {**self._run.labels(), KEPT: "1"})

    def drop_all(self, *, but: str | None = None) -> None:
        """Drop every database of this run, in a worker every one of that worker, that is not to be kept."""
        for found in self.found():
            if belongs(found.name, self._run) and found.name != but and KEPT not in found.labels:
                self.drop(found.name)

    def _drop(self, name: str) -> None:
        with self._lock:
            if int(self._admin.scalars("SELECT current_setting('server_version_num')")[0]) >= 130000:
                self._admin.script(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
            else:
                self._admin.scalars(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {_literal(name)}"
                )
                self._admin.script(f"DROP DATABASE IF EXISTS {_quoted(name)}")

    def _label(self, name: str, labels: Mapping[str, str]) -> None:
        with self._lock:
            made = self._admin.scalars("SELECT extract(epoch FROM now())::bigint")[0]
            comment = _literal(json.dumps({**labels, MADE: str(made)}))
            self._admin.script(f"COMMENT ON DATABASE {_quoted(name)} IS {comment}")

    # -- looking ---------------------------------------------------------------------------------------------------

    def connected_to(self, name: str) -> list[str]:
        """Return who else is connected to a database, a line each."""
        with self._lock:
            return self._admin.scalars(
                "SELECT concat_ws(', ', 'pid ' || pid, 'user ' || usename, nullif(application_name, ''),"
                " client_addr::text, state) FROM pg_stat_activity"
                f" WHERE datname = {_literal(name)} AND pid <> pg_backend_pid() ORDER BY pid"
            )

    def claim(self, name: str, *, shared: bool) -> bool:
        """Say that this run uses a database that is not its own, until `close`; False if another run does already.

        Args:
            name: the database.
            shared: others may use it at the same time, as long as they say so too.

        A role that cannot connect elsewhere has no way to say it, and gets True.
        """
        with self._lock:
            self._admin  # noqa: B018 - connects
            if not self._elsewhere:
                self.close()  # whoever is connected to a database keeps it from being copied
                return True
            how = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
            return "true" in self._admin.scalars(f"SELECT {how}(hashtextextended({_literal(name)}, 0))::text")

    def claimants(self) -> list[str]:
        """Return the other sessions of the server that have claimed something, a line each."""
        with self._lock:
            return self._admin.scalars(
                "SELECT DISTINCT concat_ws(', ', a.application_name, 'pid ' || a.pid) FROM pg_locks l"
                " JOIN pg_stat_activity a ON a.pid = l.pid"
                " WHERE l.locktype = 'advisory' AND l.granted AND a.pid <> pg_backend_pid() ORDER BY 1"
            )

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Let one process at a time do something that has a name; others wait, for at most two minutes."""
        key = f"hashtextextended({_literal(f'alone {name}')}, 0)"
        with self._lock:
            self._admin.script("SET lock_timeout = '120s'")
            self._admin.scalars(f"SELECT pg_advisory_lock({key})::text")
            try:
                yield
            finally:
                self._admin.scalars(f"SELECT pg_advisory_unlock({key})::text")

    def exists(self, name: str) -> bool:
        """Tell whether there is a database of this name."""
        with self._lock:
            return bool(self._admin.scalars(f"SELECT 1 FROM pg_database WHERE datname = {_literal(name)}"))

    def beginning_with(self, prefix: str) -> list[str]:
        """Return the databases whose names begin so, the oldest first."""
        with self._lock:
            return self._admin.scalars(
                f"SELECT datname FROM pg_database WHERE starts_with(datname, {_literal(prefix)}) ORDER BY oid"
            )

    def room(self) -> Room:
        """Return how many connections the server has left for the role of the URL."""
        with self._lock:
            (row,) = self._admin.scalars(
                "SELECT concat_ws(' ', current_setting('max_connections'),"
                " CASE WHEN rolsuper THEN '0' ELSE current_setting('superuser_reserved_connections') END,"
                " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), rolconnlimit,"
                " (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user))"
                " FROM pg_roles WHERE rolname = current_user"
            )
        most, reserved, used, of_role, used_by_role = map(int, row.split())
        if 0 <= of_role < most - reserved:
            return Room(of_role - used_by_role, f"CONNECTION LIMIT of role {self._url.username} is {of_role}")
        return Room(most - reserved - used, f"max_connections is {most}")

    def found(self) -> list[Found]:
        """Return the databases on the server that some run has made."""
        with self._lock:
            rows = self._admin.scalars(
                "SELECT concat_ws(chr(31), datname, pg_catalog.shobj_description(oid, 'pg_database'))"
                " FROM pg_catalog.pg_database WHERE datname ~ '_harness_[0-9a-f]{8}_'"
            )
        pairs = [(name, _labels(text, name)) for name, _, text in (row.partition("\x1f") for row in rows)]
        # A run that is killed while it creates a database cannot label it any more, but it has labelled its first one.
        of_run = {labels[RUN]: labels for _, labels in pairs if labels}
        whose = [(name, labels or of_run.get(run_of(name) or "")) for name, labels in pairs]
        return [Found(name, labels) for name, labels in whose if labels]

    def _absent(self, run_id: str) -> bool:
        connected = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = {_literal(f'harness {run_id}')}"
        return not self._admin.scalars(connected)[0]

    def _age(self, made: int) -> int:
        return int(self._admin.scalars(f"SELECT extract(epoch FROM now())::bigint - {made}")[0])

    # -- the connection --------------------------------------------------------------------------------------------

    def _connect(self) -> Physical:
        driver = drivers_for("postgresql", ())
        url = self._url.set(drivername=f"postgresql+{driver.name}")
        try:
            self._elsewhere = True
            made = driver.connect(url.set(database="postgres"))
        except Exception:  # noqa: BLE001 - whatever the reason, the other database's answer is the one to tell
            try:
                self._elsewhere = False
                made = driver.connect(url)
            except Exception as problem:  # each driver has exceptions of its own
                raise self._refused(None, problem) from problem
        made.script(f"SET application_name = 'harness {self._run.run_id}'")
        return made

    # -- what can go wrong -----------------------------------------------------------------------------------------

    def _refused(self, template: str | None, problem: Exception) -> DatabaseUnavailable:
        said = self._said(problem)
        code = str(getattr(problem, "sqlstate", None) or getattr(problem, "pgcode", None) or "")
        why, remedy = f"the server says: {said}", "see to what the server says"
        if code == "42501":
            role = self._url.username or "the role"
            remedy = (
                f"let the role create databases: ALTER ROLE {_quoted(role)} CREATEDB; it must own what it copies\n"
                'or do with isolation="rollback" or "delete" on this server, and without workers: -n 0'
            )
        elif code == "55006" and template is not None:
            who = "\n".join(self.connected_to(template)) or "somebody who has gone since"
            why = f"it is copied from {template}, and nobody may be connected to that meanwhile; connected are:\n{who}"
            remedy = "close those connections (psql, an IDE, an application that runs), then run again"
        elif code == "53300" or "too many" in said:
            remedy = "raise max_connections, or let fewer runs and workers use the server at once"
        elif code == "53100":
            remedy = "make room on the server's disk; databases named …_harness_… of dead runs may be dropped"
        return self._could_not(why, remedy)


def _labels(text: str, name: str) -> dict[str, str]:
    """Return the labels in a database's comment; nothing if it is none of ours."""
    try:
        labels = json.loads(text)
    except ValueError:
        return {}
    ours = isinstance(labels, dict) and {RUN, HOST, MADE} <= labels.keys()
    return labels if ours and run_of(name) == labels[RUN] else {}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
