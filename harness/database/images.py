"""Copies of a SQLite database: its image is kept in memory, and each test gets files with a copy of it.

Files, as a database in memory cannot be used the way a real one is: all connections of SQLite's memdb wait for a writer
even to read, and a shared cache locks whole tables. They are in memory all the same where the system has a place for
that. One file for the database, and one for each that is attached to it as a schema.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.database.cleanup import guaranteed
from harness.database.clones import Clone
from harness.database.identity import RUN, alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.database.identity import RunIdentity

_PREFIX = "harness-clones-"
_LABELS = "owner.json"
#: Where files live in memory on Linux.
_MEMORY = Path("/dev/shm")


def image_of(connection: sqlite3.Connection) -> dict[str, bytes]:
    """Return the content of a database and of those attached to it, by schema; what is uncommitted is part of it."""
    schemas = [row[1] for row in connection.execute("PRAGMA database_list") if row[1] != "temp"]
    return {schema: connection.serialize(name=schema) for schema in schemas}


def write_image(image: Mapping[str, bytes], directory: Path, name: str) -> Clone:
    """Write an image into a directory, and return the database that it is there."""
    from sqlalchemy.engine import URL

    main = directory / f"{name}.db"
    main.write_bytes(image["main"])
    attached = []
    for schema, content in image.items():
        if schema != "main":
            path = directory / f"{name}.{schema}.db"
            path.write_bytes(content)
            attached.append((schema, path))
    return Clone(url=URL.create("sqlite", database=str(main)), name=str(main), attached=tuple(attached))


class ImageClones:
    """Copies of one image. The next one is written, and the last one removed, while a test runs.

    Args:
        image: as `image_of` gave it.
        run: the owner.
        needed: how many tests will still ask.
        say: receives what was swept.
    """

    def __init__(
        self, image: Mapping[str, bytes], run: RunIdentity, needed: Callable[[], int], say: Callable[[str], None]
    ) -> None:
        self._image = image
        self._needed = needed
        self._directory = own_directory(run, say)
        self._numbers = itertools.count(1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="harness-clones")
        self._next: Future[Clone] | None = None
        self._close = guaranteed(lambda: shutil.rmtree(self._directory, ignore_errors=True), outlives_process=True)

    def acquire(self) -> Clone:
        """Return a new copy."""
        coming, self._next = self._next or self._thread.submit(self.acquire_with, self._image), None
        clone = coming.result()
        if self._needed() > 0:
            self._next = self._thread.submit(self.acquire_with, self._image)
        return clone

    def acquire_with(self, image: Mapping[str, bytes]) -> Clone:
        """Return a new copy of another image, such as one that holds what is not committed."""
        directory = self._directory / str(next(self._numbers))
        directory.mkdir()
        return write_image(image, directory, "test")

    def release(self, clone: Clone) -> None:
        """Remove a copy soon, and the journals beside it."""
        self._thread.submit(shutil.rmtree, Path(clone.name).parent, ignore_errors=True)

    def abandon(self) -> None:
        """Remove them, as `close` does: files have no server."""
        self.close()

    def close(self) -> None:
        """Remove every copy; safe to call twice."""
        self._thread.shutdown(cancel_futures=True)
        self._close()

    def keep(self, clone: Clone, directory: Path, name: str) -> Clone:
        """Copy a copy that a test has used, with what is in its journals, to files that stay."""
        with closing(sqlite3.connect(clone.name)) as connection:
            for schema, path in clone.attached:
                connection.execute(f'ATTACH DATABASE ? AS "{schema}"', (str(path),))
            return write_image(image_of(connection), directory, name)


def own_directory(run: RunIdentity, say: Callable[[str], None]) -> Path:
    """Make a directory for files of a run, in memory where possible; those of runs that were killed are removed."""
    parent = _parent()
    for directory, labels in _found(parent):
        if not alive(labels):
            shutil.rmtree(directory, ignore_errors=True)
            say(f"removed {directory}, left by a run that was killed")
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    (made / _LABELS).write_text(json.dumps(run.labels()), encoding="utf-8")
    return made


def remove_directories(run: RunIdentity) -> None:
    """Remove what is left of a run's workers, such as of one that was killed; the run is over."""
    for directory, labels in _found(_parent()):
        if labels.get(RUN) == run.run_id:
            shutil.rmtree(directory, ignore_errors=True)


def _parent() -> Path:
    return _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _found(parent: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the directories of all runs and whose they are."""
    for directory in parent.glob(f"{_PREFIX}*"):
        try:
            yield directory, json.loads((directory / _LABELS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # somebody else's, or being made or removed at this moment
