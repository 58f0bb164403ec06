"""A few copies of a database on a server are made before tests ask for them, in a thread of its own.

A copy takes longer than most tests. So while one test runs, the next one's database is made, and the last one's is
dropped; a test waits only if it comes faster than the server can copy. The thread keeps at most `AHEAD` copies ready
and no more than are still needed, lets at most `BEHIND` used ones wait to be dropped, and has one connection.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING

from harness.database.cleanup import guaranteed
from harness.database.clones import Clone
from harness.database.service import catalogs_of
from harness.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

    from harness.database.identity import RunIdentity
    from harness.database.run_catalogs import RunCatalogs

#: Copies that are ready at most; and used ones that wait at most, while the next test's is more urgent.
AHEAD, BEHIND = 3, 4
#: Seconds that a test waits for its copy before it gives up, and that the end of the run waits for the thread.
_PATIENCE = 60.0


class WarmClones:
    """Copies of one template, made from the database of a URL.

    Args:
        url: the database to copy. On PostgreSQL, nobody may be connected to it while this is being made.
        run: the owner.
        needed: how many tests will still ask.
        say: receives what was swept, and what could not be dropped.

    Raises:
        DatabaseUnavailable: the role may not create databases, somebody is connected to the one to copy, …
    """

    def __init__(self, url: URL, run: RunIdentity, needed: Callable[[], int], say: Callable[[str], None]) -> None:
        self._url = url
        self._run = run
        self._needed = needed
        self._say = say
        self._catalogs = catalogs_of(url, run)
        self._template = self._catalogs.name("template")
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        # Held while the thread creates or drops. Nothing else takes it for longer than a look, so a signal handler may.
        self._statement = threading.Lock()
        self._ready: deque[Clone] = deque()
        self._used: deque[Clone] = deque()
        self._kept: set[str] = set()
        self._waiting = 0
        self._failure: Exception | None = None
        self._closing = self._abandoned = False
        self._thread: threading.Thread | None = None
        self._close = guaranteed(self._remove_all, outlives_process=True)
        try:
            with closing(self._catalogs):
                self._catalogs.sweep(say)
                self._catalogs.create(self._template, url.database, connections=False)
        except BaseException:
            self._close()
            raise
        if needed():
            self._start()

    # -- for tests -------------------------------------------------------------------------------------------------

    def acquire(self) -> Clone:
        """Return a clone nobody has used, waiting for it if none is ready.

        Raises:
            DatabaseUnavailable: the server refuses to make it, or takes longer than a minute.
        """
        with self._changed:
            self._start()
            self._waiting += 1
            self._changed.notify_all()
            try:
                done = self._changed.wait_for(lambda: self._ready or self._failure or self._closing, _PATIENCE)
                if self._ready:
                    return self._ready.popleft()
                failure, self._failure = self._failure, None
            finally:
                self._waiting -= 1
                self._changed.notify_all()
        if failure is not None:
            raise failure
        raise DatabaseUnavailable(
            "a database for a test was not ready in time",
            why="the run is ending" if done else f"the server did not copy {self._template} within {_PATIENCE:g} s",
            remedy="look at the server's load and log",
        )

    def release(self, clone: Clone) -> None:
        """Drop a clone soon, unless it is to be kept."""
        with self._changed:
            if clone.name not in self._kept:
                self._used.append(clone)
                self._changed.notify_all()

    def keep(self, clone: Clone, directory: Path, name: str) -> Clone:
        """Let a clone outlive the run, on its server."""
        with closing(self._catalogs):
            self._catalogs.keep(clone.name)
        self._kept.add(clone.name)
        return clone

    def abandon(self) -> None:
        """Forget them, and the thread: their server is gone."""
        self._abandoned = True
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._close()

    def close(self) -> None:
        """End the thread, and drop all that is left, except what is to be kept; safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)
        self._close()

    def _remove_all(self) -> None:
        # This may run in a signal handler, in the middle of anything. So it has a connection of its own, and does not
        # wait for the thread, which may wait for what was interrupted, but for the statement that it has begun: the
        # server goes on with a CREATE DATABASE whose client has gone.
        self._closing = True
        if self._abandoned:
            return
        if self._statement.acquire(timeout=_PATIENCE):
            self._statement.release()
        with closing(catalogs_of(self._url, self._run)) as catalogs:
            try:
                catalogs.drop_all(but=self._url.database)
            except Exception as problem:  # noqa: BLE001 - the server may be gone, and the next run sweeps what is left
                self._say(f"databases of this run may be left on the server: {' '.join(str(problem).split())}")

    # -- the thread ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="harness-clones", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        with closing(catalogs_of(self._url, self._run)) as catalogs:
            while True:
                with self._changed:
                    self._changed.wait_for(self._something_to_do)
                    if self._closing:
                        return
                    clone = self._used.popleft() if self._drops_first() else None
                if clone is not None:
                    self._drop(catalogs, clone)
                else:
                    self._make(catalogs)

    def _something_to_do(self) -> bool:
        return self._closing or bool(self._used) or self._more_wanted()

    def _more_wanted(self) -> bool:
        ahead = min(AHEAD, max(self._needed(), self._waiting))
        return self._failure is None and len(self._ready) < ahead

    def _drops_first(self) -> bool:
        return bool(self._used) and (not self._more_wanted() or len(self._used) > BEHIND)

    def _make(self, catalogs: RunCatalogs) -> None:
        name = catalogs.name(str(next(self._numbers)))
        failure: Exception | None = None
        try:
            with self._statement:
                if self._closing:
                    return
                catalogs.create(name, self._template)
        except Exception as problem:  # noqa: BLE001 - raised by the test that waits for it
            failure = problem
        with self._changed:
            if failure is None:
                self._ready.append(Clone(url=catalogs.url_of(name), name=name))
            self._failure = failure
            self._changed.notify_all()

    def _drop(self, catalogs: RunCatalogs, clone: Clone) -> None:
        try:
            with self._statement:
                catalogs.drop(clone.name)
        except Exception as problem:  # noqa: BLE001 - told; the end of the run tries again
            self._say(f"the database {clone.name} could not be dropped yet: {' '.join(str(problem).split())}")
