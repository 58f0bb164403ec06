"""A PostgreSQL server of this machine's own programs, where no container engine runs; ended with the run.

`initdb` takes a second or more, so its result is kept in a cache directory of the user, one for each version, and
copied. The server listens on a port of the loopback interface that the system has chosen, and asks for a password.
Nothing is kept safe from a crash: the data is a test's.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.database import binaries
from harness.database.cleanup import guaranteed
from harness.database.handle import nothing_to_close
from harness.database.identity import RUN, alive
from harness.database.service import Service
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from harness.database.binaries import StandIn
    from harness.database.identity import RunIdentity

Say = Callable[[str], None]

_PREFIX = "harness-local-"
_LABELS, _PASSWORD, _LOG = "owner.json", "password", "log"
_USER = "harness"
_SETTINGS = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "max_connections = 300",
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
)
#: How often another port is tried, if somebody has taken the one that was free a moment ago.
_ATTEMPTS = 3


def serve(run: RunIdentity, say: Say, place: Path | None = None) -> Service:
    """Start a server.

    Args:
        run: the owner; what dead owners left on this machine is removed first.
        say: receives what is going on.
        place: a directory that no run owns, so that the server stays; what is in there already is removed.

    Raises:
        DatabaseUnavailable: there are no programs, or they fail.
    """
    programs = binaries.directory()
    if programs is None or not binaries.supported():
        raise DatabaseUnavailable(
            "no PostgreSQL is installed on this machine that harness could start",
            why="initdb, pg_ctl and postgres are neither on PATH nor where packages put them",
            remedy="install the server (apt-get install postgresql, brew install postgresql), or put its bin directory"
            " on PATH\nor use a container or a URL: --harness-server=container, --harness-database=postgresql://…",
        )
    sweep(say)
    who = binaries.stand_in()
    cluster = _cluster(programs, who, say)
    home = place or Path(tempfile.mkdtemp(prefix=_PREFIX))
    stay = _Stay(home, programs, who)
    close = guaranteed(stay.end, outlives_process=True)
    try:
        if place is not None:
            stay.remove()  # its server does not answer, and after a crash its data cannot be trusted
        _furnish(home, cluster, run, who, owned=place is None)
        port = _start(home, programs, who)
    except BaseException:
        if place is not None:
            stay.remove()
        close()
        raise
    if place is not None:
        stay.let_go()
        close()
    return Service(
        url=_url(port, (home / _PASSWORD).read_text(encoding="ascii")),
        backend="postgresql",
        origin=f"local server ({programs})",
        lasting=place is not None,
        reused=place is not None,
        log=str(home / _LOG),
        shell=f"PGPASSWORD=$(cat {home / _PASSWORD}) psql -h 127.0.0.1 -p {port} -U {_USER} {{name}}",
        remove=" ".join(_stop_command(programs, home, who)) + f" && rm -r {home}",
        stay=stay.keep,
        close=nothing_to_close if place is not None else close,
    )


def _url(port: int, password: str) -> URL:
    from sqlalchemy.engine import URL

    return URL.create("postgresql", _USER, password, "127.0.0.1", port, "test")


# -- the cluster that is copied ------------------------------------------------------------------------------------


def cache() -> Path:
    """Return the directory for what outlives runs; made if it is missing, and nobody else's to write or read."""
    root = os.getuid() == 0  # another user runs the server then, and may not go through root's home
    home = os.environ.get("XDG_CACHE_HOME") or ("/var/cache" if root else str(Path.home() / ".cache"))
    made, mode = Path(home) / "harness", 0o711 if root else 0o700
    try:
        made.mkdir(parents=True, exist_ok=True)
        made.chmod(mode)
    except OSError as problem:
        raise DatabaseUnavailable(
            f"the cache directory {made} cannot be used",
            why=str(problem),
            remedy="see to it that it can be written, or name another one with XDG_CACHE_HOME",
        ) from problem
    return made


@contextlib.contextmanager
def alone(name: str) -> Iterator[Path]:
    """Let one process of this user at a time do something in the cache directory, and return that."""
    import fcntl

    place = cache()
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place


def _cluster(programs: Path, who: StandIn, say: Say) -> Path:
    """Return the directory of a cluster that has never been started."""
    version = binaries.run(programs / "postgres", "--version", who=who, cwd=Path("/")).stdout.split()
    name = f"postgresql-{version[2] if len(version) > 2 else 'unknown'}"
    with alone(name) as place:
        cluster = place / name
        if (cluster / "data" / "PG_VERSION").exists():
            return cluster
        shutil.rmtree(cluster, ignore_errors=True)  # of a run that was killed while it made it
        say(f"making a PostgreSQL cluster in {cluster}, once …")
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=place))
        try:
            (fresh / _PASSWORD).write_text(secrets.token_urlsafe(24), encoding="ascii")
            who.own(fresh)
            done = binaries.run(
                programs / "initdb",
                *("-D", str(fresh / "data"), "-U", _USER, "-E", "UTF8", "--locale=C", "--no-sync"),
                *("--auth=scram-sha-256", f"--pwfile={fresh / _PASSWORD}"),
                who=who,
                cwd=fresh,
            )
            if done.returncode:
                raise _failed("initdb", programs, done.stdout)
            fresh.rename(cluster)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return cluster


def _furnish(home: Path, cluster: Path, run: RunIdentity, who: StandIn, *, owned: bool) -> None:
    """Fill a server's own directory."""
    home.mkdir(mode=0o700, exist_ok=True)
    if owned:
        (home / _LABELS).write_text(json.dumps(run.labels()), encoding="utf-8")
    shutil.copy(cluster / _PASSWORD, home / _PASSWORD)
    (home / _PASSWORD).chmod(0o600)
    partly = home / "partly"
    shutil.copytree(cluster / "data", partly)
    with (partly / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("\n" + "\n".join(_SETTINGS) + "\n")
    partly.rename(home / "data")
    who.own(home)


# -- starting and stopping -----------------------------------------------------------------------------------------


def _start(home: Path, programs: Path, who: StandIn) -> int:
    """Start the server, and return its port."""
    for left in reversed(range(_ATTEMPTS)):
        port = _free_port()
        done = binaries.run(
            programs / "pg_ctl",
            *("start", "-w", "-t", "50", "-s", "-D", str(home / "data"), "-l", str(home / _LOG), "-o", f"-p {port}"),
            who=who,
            cwd=home,
        )
        if not done.returncode:
            return port
        log = (home / _LOG).read_text(encoding="utf-8", errors="replace") if (home / _LOG).exists() else ""
        if "in use" not in log or not left:
            raise _failed("pg_ctl start", programs, f"{done.stdout}\n{log}")
    raise AssertionError("the last attempt returns or raises")


def runs(home: Path) -> bool:
    """Tell whether the server of a directory runs, and not another process that has its number now."""
    try:
        pid = int((home / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        if Path("/proc/self").exists():
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").startswith("postgres")
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop_command(programs: Path, home: Path, who: StandIn) -> list[str]:
    prefix = ["setpriv", f"--reuid={who.uid}", "--clear-groups", "--"] if who.needed else []
    return [*prefix, str(programs / "pg_ctl"), "stop", "-m", "immediate", "-D", str(home / "data")]


class _Stay:
    """How long a server stays: until the end of the run, or, without an owner, until the user removes it."""

    def __init__(self, home: Path, programs: Path, who: StandIn) -> None:
        self._home, self._programs, self._who = home, programs, who
        self._kept = self._gone = False

    def keep(self) -> None:
        self._kept = True

    def let_go(self) -> None:
        """The server has no owner any more."""
        self._gone = True

    def end(self) -> None:
        if self._gone:
            return
        if not self._kept:
            self.remove()
        else:
            (self._home / _LABELS).unlink(missing_ok=True)  # no sweep removes what has no owner

    def remove(self) -> None:
        remove(self._home, self._programs, self._who)


def remove(home: Path, programs: Path, who: StandIn) -> None:
    """Stop the server of a directory, and remove the directory."""
    if runs(home):
        binaries.run(
            programs / "pg_ctl",
            *("stop", "-w", "-t", "20", "-s", "-m", "immediate", "-D", str(home / "data")),
            who=who,
            cwd=Path("/"),
        )
    shutil.rmtree(home, ignore_errors=True)


def sweep(say: Say) -> None:
    """Stop and remove the servers of runs on this machine that were killed before they could."""
    programs = binaries.directory()
    if programs is None or not binaries.supported():
        return
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            labels = json.loads((home / _LABELS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # somebody else's, or being made or removed at this moment
        if not alive(labels):
            remove(home, programs, binaries.stand_in())
            say(f"removed a local server left by a run that was killed ({labels[RUN]})")


def _failed(what: str, programs: Path, said: str) -> DatabaseUnavailable:
    lines = said.strip().splitlines()[-20:]
    return DatabaseUnavailable(
        f"a local PostgreSQL server could not be started: {what} failed",
        where=str(programs),
        why="\n".join(lines) or "it said nothing",
        remedy="see to what it says, or use a container or a URL: --harness-server=container, "
        "--harness-database=postgresql://…",
    )
