"""A server on which a run makes databases of its own: in a container, local, kept between runs, or the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.database.catalogs import Catalogs
from harness.database.cleanup import guaranteed
from harness.database.handle import Database, Keeping, nothing_known, nothing_to_close
from harness.database.mysql_catalogs import MysqlCatalogs
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from harness.database.identity import RunIdentity
    from harness.database.run_catalogs import RunCatalogs

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A server that answers.

    Attributes:
        url: a database on it, without a driver, as a role that may create others; its name is the base of their names.
        backend: SQLAlchemy's name of it.
        origin: where it came from, for the report header; never shows a password.
        copied: the database that each new one is a copy of; None: they begin empty.
        lasting: it stays when the run ends, so that what was made on it must be dropped.
        reused: it is harness's own and serves later runs.
        container: its container, if it is in one.
        log: its log file, if it has one here.
        shell: the command that opens a database on it, without a password; `{name}` is filled in.
        remove: the command that removes it.
        stay: let it outlive the run.
        close: end it; safe to call twice.
    """

    url: URL
    backend: str
    origin: str
    copied: str | None = None
    lasting: bool = False
    reused: bool = False
    container: str | None = None
    log: str | None = None
    shell: str | None = None
    remove: str | None = None
    stay: Callable[[], None] = nothing_to_close
    close: Callable[[], None] = nothing_to_close

    def diagnose(self) -> str | None:
        """Tell why it may have died; None if nothing is known."""
        if self.container is not None:
            from harness.database.engine import diagnosis

            return diagnosis(self.container)
        if self.log is not None and Path(self.log).exists():
            lines = Path(self.log).read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            return "\n".join(("the end of the server's log:", *lines))
        return None

    def gone(self) -> bool:
        """Tell whether it is known to have ended."""
        if self.container is not None:
            from harness.database.engine import ended

            return ended(self.container)
        if self.log is not None:
            from harness.database.local import runs

            return not runs(Path(self.log).parent)
        return False

    @property
    def keeping(self) -> Keeping | None:
        """How it is kept for the user to look into; None if it stays anyway."""
        if self.shell is None or self.remove is None:
            return None
        shell = self.shell
        return Keeping(keep=self.stay, open=lambda name: shell.format(name=name), remove=self.remove)


_CARRIED = ("backend", "origin", "copied", "lasting", "reused", "container", "log", "shell", "remove")


def as_words(service: Service) -> dict[str, Any]:
    """Return what another process of this run needs to use the service, as plain values; it cannot end it."""
    words = {name: getattr(service, name) for name in _CARRIED}
    return {**words, "url": service.url.render_as_string(hide_password=False)}


def from_words(words: Mapping[str, Any]) -> Service:
    """Return the service that another process of this run has started."""
    from sqlalchemy.engine import make_url

    return Service(**{**words, "url": make_url(words["url"])})


def catalogs_of(url: URL, run: RunIdentity) -> RunCatalogs:
    """Return what creates and drops databases beside that of a URL."""
    return Catalogs(url, run) if url.get_backend_name() == "postgresql" else MysqlCatalogs(url, run)


def database_on(service: Service, run: RunIdentity, say: Say, *, owned: bool = True) -> Database:
    """Create a database of this process on a service.

    Args:
        service: the service.
        run: the owner.
        say: receives what could not be dropped at the end.
        owned: the service ends with the database; False in a worker, which uses it beside others.

    Raises:
        DatabaseUnavailable: the server refuses; the service has been ended then, if it is `owned`.
    """
    catalogs = catalogs_of(service.url, run)
    name = catalogs.name("main")
    drops = service.lasting or not owned
    drop = guaranteed(partial(_drop, service.url, run, name, say), outlives_process=True) if drops else nothing_to_close

    def close() -> None:
        try:
            drop()
        finally:
            if owned:
                service.close()

    try:
        with closing(catalogs):
            catalogs.create(name, service.copied)
    except BaseException:
        close()
        raise
    return Database(
        url=service.url.set(database=name),
        backend=service.backend,
        origin=service.origin,
        created=True,
        copied=service.copied is not None,
        close=close,
        diagnose=service.diagnose if service.container or service.log else nothing_known,
        gone=service.gone,
        keeping=service.keeping,
    )


def _drop(url: URL, run: RunIdentity, name: str, say: Say) -> None:
    with closing(catalogs_of(url, run)) as catalogs:
        try:
            catalogs.drop(name)
        except Exception as problem:  # noqa: BLE001 - the server may be gone, and the next run sweeps what is left
            say(f"the database {name} may be left on the server: {' '.join(str(problem).split())}")


def drop_all(service: Service, run: RunIdentity, say: Say) -> None:
    """Drop what is left of a run on a service, such as the databases of workers that were killed."""
    with closing(catalogs_of(service.url, run)) as catalogs:
        try:
            catalogs.drop_all()
        except Exception as problem:  # noqa: BLE001 - the server may be gone, and the next run sweeps what is left
            say(f"databases of this run may be left on the server: {' '.join(str(problem).split())}")


#: Connections that a worker uses at most while its tests share one, and that the run needs besides.
EACH, BESIDES = 2, 2


def check_room(service: Service, run: RunIdentity, workers: int) -> None:
    """Make sure that the server can serve so many workers at once.

    Raises:
        DatabaseUnavailable: it has too few connections.
    """
    with closing(catalogs_of(service.url, run)) as catalogs:
        room = catalogs.room()
    needed = workers * EACH + BESIDES - 1  # the one that asked is counted as used
    if room.left >= needed:
        return
    fitting = max(0, (room.left - BESIDES + 1) // EACH)
    raise DatabaseUnavailable(
        f"{workers} workers need {needed} connections, and the server has {max(room.left, 0)} left",
        where=service.origin,
        why=f"{room.limit}; a worker uses {EACH} connections, more where tests have databases of their own",
        remedy=f"raise the limit by at least {needed - room.left}\n"
        + (f"or use fewer workers: -n {fitting}" if fitting else "or end what else is connected to the server"),
    )
