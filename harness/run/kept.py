"""`--harness-keep-failed`: a failed test's database stays, and its report says how to open it."""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, HarnessError

if TYPE_CHECKING:
    from harness.database.clones import Clone
    from harness.run.run import Run
    from harness.run.served import Served


def check_directory(directory: Path, source: str) -> None:
    """Make sure that files can be kept.

    Raises:
        ConfigError: they cannot be written there.
    """
    try:
        made = [parent for parent in (directory, *directory.parents) if not parent.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory):
            pass
        for parent in made:
            parent.rmdir()  # it is made again when there is something to keep
    except OSError as problem:
        raise ConfigError(
            f"databases of failed tests cannot be kept in {directory}",
            where=f"harness_keep_dir ({source})",
            why=str(problem),
            remedy="name a directory that can be written: --harness-keep-dir=PATH",
        ) from problem


def keep(run: Run, nodeid: str) -> str | None:
    """Keep what the test that has just failed sees in its database.

    Returns:
        What to tell the user; None if the test has not used the database.
    """
    told = [_keep(served, nodeid) for served in run.served] if run.captured else []
    return "\n".join(filter(None, told)) or None


def _keep(served: Served, nodeid: str) -> str | None:
    if not served.target.pinned.connected:
        return None
    try:
        clone = _kept(served, nodeid)
    except HarnessError as error:
        return f"the database of this test could not be kept: {error}"
    except Exception as error:  # noqa: BLE001 - each driver has exceptions of its own, and the test's own is what counts
        return f"the database of this test could not be kept: {type(error).__name__}: {error}"
    return _told(served, clone) if clone is not None else None


def _kept(served: Served, nodeid: str) -> Clone | None:
    run, apart, pinned = served.run, served.apart, served.target.pinned
    directory, name = run.root / run.settings.keep_dir, f"{_file_name(nodeid)}-{run.identity.run_id}"
    if served is not run.default:
        name = f"{name}-{served.name}"
    directory.mkdir(parents=True, exist_ok=True)
    if apart.current is not None:
        return apart.keep_current(directory, name)
    if not apart.committing and not any(level.opened for level in pinned.levels):
        return None
    with pinned.lock:
        ledger = pinned.level.ledger
        if ledger is not None:
            ledger.recover()
        if served.plan.backend == "sqlite":
            from harness.database.images import image_of, write_image

            return write_image(image_of(pinned.physical.dbapi), directory, name)
        clone = apart.clones.acquire()
        try:
            apart.transplant(pinned.physical, clone)
            return apart.clones.keep(clone, directory, name)
        finally:
            apart.clones.release(clone)


def _file_name(nodeid: str) -> str:
    """Return a test's id as part of a file's name, its end if it is long: that is where the parameters are."""
    return re.sub(r"[^\w.-]+", "-", nodeid).strip("-")[-100:]


def _told(served: Served, clone: Clone) -> str:
    if clone.url.get_backend_name() == "sqlite":
        attach = [f"-cmd \"ATTACH '{path}' AS {schema}\"" for schema, path in clone.attached]
        return f"kept the database of this test\n  open    {' '.join(['sqlite3', shlex.quote(clone.name), *attach])}"
    database = served.database
    if database is not None and database.keeping is not None:
        database.keeping.keep()
        return (
            "kept the database of this test, and the server that it is on\n"
            f"  open    {database.keeping.open(clone.name)}\n  remove  {database.keeping.remove}"
        )
    if clone.url.get_backend_name() != "postgresql":
        given = {"-h": clone.url.host, "-P": clone.url.port, "-u": clone.url.username}
        server = " ".join(f"{flag} {shlex.quote(str(value))}" for flag, value in given.items() if value)
        return (
            "kept the database of this test\n"
            f"  open    mysql {server} -p {shlex.quote(clone.name)}\n"
            f"  remove  mysqladmin {server} -p drop {shlex.quote(clone.name)}"
        )
    from harness.database.urls import bare

    maintenance = bare(clone.url.set(database="postgres"))
    return (
        "kept the database of this test\n"
        f"  open    psql {shlex.quote(bare(clone.url))}\n"
        f"  remove  dropdb --maintenance-db={shlex.quote(maintenance)} {shlex.quote(clone.name)}"
    )
