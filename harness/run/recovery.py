"""The connection to a run's database was lost: the next test waits for the server, or gets another one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.clock import now
from harness.database.urls import scrubbed, shown
from harness.errors import DatabaseUnavailable, HarnessError

if TYPE_CHECKING:
    from harness.run.served import Served

#: Seconds that a server has to come back: a restart takes one to three.
PATIENCE = 10.0
#: How often a run replaces a server that it started. A suite that kills its server in every test is told so.
REPLACEMENTS = 2


class Recovery:
    """Connects again, once for each time that the connection was lost.

    A server that harness started holds nothing but what this run put there, so another one takes its place. A server
    of the user's is waited for, and is never anybody else's.

    Args:
        served: the database.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._left = REPLACEMENTS
        self._failure: HarnessError | None = None
        #: Whether the connection was lost, and nobody has connected since.
        self.expected = False

    def expect(self) -> None:
        """The connection was lost; the next statement connects again."""
        self.expected = True
        self._served.target.pinned.on_first_use = self.recover

    def recover(self) -> None:
        """Connect again, and see that there is a schema.

        Raises:
            HarnessError: there is no server any more; told again to every test that needs it.
        """
        pinned = self._served.target.pinned
        if self._failure is None:
            pinned.on_first_use, self.expected = None, False
            try:
                self._reconnect()
            except HarnessError as error:
                self._failure = error
        if self._failure is not None:
            self.expect()
            raise self._failure
        if not self._served.built:
            self._served.build()

    def _reconnect(self) -> None:
        problem = self._wait()
        if problem is None:
            return
        database = self._served.database
        if database is None or not database.created:
            raise self._unreachable(problem, "start it again, then run the tests that failed: pytest --lf")
        if not self._left:
            raise self._unreachable(problem, f"{REPLACEMENTS} servers were lost in this run, so no more are started")
        self._left -= 1
        self._served.run.say(f"{database.origin} does not answer any more: starting another")
        self._served.replace()

    def _wait(self) -> Exception | None:
        """Connect, in a while; return why that is not possible."""
        deadline = now() + PATIENCE
        while True:
            try:
                self._served.target.ensure_ready()
            except Exception as problem:  # noqa: BLE001 - each driver has exceptions of its own
                if now() > deadline or self._gone():
                    return problem
                time.sleep(0.2)
            else:
                return None

    def _gone(self) -> bool:
        database = self._served.database
        return database is not None and database.gone()

    def _unreachable(self, problem: Exception, remedy: str) -> DatabaseUnavailable:
        url = self._served.target.url
        return DatabaseUnavailable(
            "the test database was lost, and cannot be reached any more",
            where=shown(url),
            why=f"{type(problem).__name__}: {' '.join(scrubbed(str(problem), url).split())}",
            remedy=remedy,
        )
