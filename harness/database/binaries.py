"""PostgreSQL's own programs on this machine, and the user that may run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import DatabaseUnavailable

#: Where packages of distributions put them, out of the way of PATH; the newest version is taken.
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
#: Who runs the server for root, whom it refuses; the first that exists.
_STAND_INS = ("postgres", "nobody")


def directory() -> Path | None:
    """Return the directory of PostgreSQL's programs, or None; found without running anything."""
    if found := shutil.which("initdb"):
        places = [Path(found).parent, Path(found).resolve().parent]
    else:
        places = sorted((path for place in _PLACES for path in Path("/").glob(place[1:])), key=_version, reverse=True)
    return next((place for place in places if all((place / program).exists() for program in _PROGRAMS)), None)


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


@dataclass(frozen=True, slots=True)
class StandIn:
    """The user that runs the server: nobody else than this process's, unless that is root."""

    uid: int
    gid: int

    def options(self) -> dict[str, Any]:
        """Return how a program is started as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": ()} if self.needed else {}

    @property
    def needed(self) -> bool:
        """Tell whether it is another user than this process's."""
        return self.uid != os.getuid()

    def own(self, path: Path) -> None:
        """Give a file or directory, and what is in it, to this user."""
        if self.needed:
            for part in (path, *path.rglob("*")):
                os.chown(part, self.uid, self.gid, follow_symlinks=False)


def stand_in() -> StandIn:
    """Return the user that shall run the server.

    Raises:
        DatabaseUnavailable: this process is root's, and there is no other user.
    """
    if os.getuid() != 0:
        return StandIn(os.getuid(), os.getgid())
    import pwd

    for name in _STAND_INS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return StandIn(found.pw_uid, found.pw_gid)
    raise DatabaseUnavailable(
        "a local PostgreSQL server cannot be started by root",
        why=f"it refuses to run as root, and there is no user {' or '.join(_STAND_INS)} to run it",
        remedy="run the tests as an ordinary user, or create one of those users",
    )


def run(program: Path, *arguments: str, who: StandIn, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the programs to its end, and return what it printed; the caller looks at its exit status.

    Raises:
        DatabaseUnavailable: it cannot be run at all, or took longer than a minute.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG") and key != "LC_ALL"}
    try:
        return subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
            cwd=cwd,
            env={**environment, "LC_ALL": "C"},
            **who.options(),
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise DatabaseUnavailable(
            f"{program.name} of PostgreSQL cannot be run",
            where=str(program),
            why=str(problem),
            remedy="see to it that PostgreSQL's programs work for this user, or use a container or a URL",
        ) from problem


def supported() -> bool:
    """Tell whether harness can start a local server on this system."""
    return os.name == "posix" and sys.platform != "cygwin"
