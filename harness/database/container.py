"""A database server in a container, started for this run and removed with it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from harness.database import complaints, engine
from harness.database.cleanup import guaranteed
from harness.database.drivers.choice import drivers_for
from harness.database.handle import Database, nothing_to_close
from harness.database.identity import REUSED
from harness.database.readiness import NotReady, Patience, until_ready
from harness.database.service import Service, database_on
from harness.database.urls import without_driver

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from harness.database.drivers.choice import Driver
    from harness.database.drivers.physical import Physical
    from harness.database.identity import RunIdentity
    from harness.database.servers import Server

Say = Callable[[str], None]


def start(server: Server, image: str | None, run: RunIdentity, say: Say, patience: Patience | None = None) -> Database:
    """Start a server as `serve` does, create the run's database in it, and return that."""
    return database_on(serve(server, image, run, say, patience), run, say)


def serve(
    server: Server,
    image: str | None,
    run: RunIdentity,
    say: Say,
    patience: Patience | None = None,
    reused: str | None = None,
) -> Service:
    """Start a server in a container.

    Args:
        server: which server.
        image: the image, or None for the server's own.
        run: the owner; what dead owners left on this machine is removed first.
        say: receives what is going on, while the user waits.
        patience: how long to wait for the server.
        reused: the name of a container that no run owns, so that it stays; one that has it already is removed.

    Raises:
        MissingExtra: testcontainers, or every driver for the server, is not installed.
        EngineUnavailable: no container engine answers.
        DatabaseUnavailable: no image, or no usable server in the container.
    """
    driver = drivers_for(server.backend, ())
    engine.require()
    engine.sweep(say)
    name = reused or f"harness-{run.run_id}-{secrets.token_hex(2)}"
    labels = {REUSED: name} if reused else run.labels()
    if reused:
        engine.remove(name)
    box = engine.Box(server, image or server.image, name=name, password=secrets.token_urlsafe(24), labels=labels)
    with contextlib.closing(box):
        box.fetch(say)
        # Before it exists: an interruption between its creation and our learning of it must not leak it.
        stay = _Stay(name, say)
        close = guaranteed(stay.end, outlives_process=True)
        try:
            url = _launched(box, server, driver, say, patience or Patience())
        except BaseException:
            close()
            raise
    if reused:
        stay.let_go()
        close()
    shown = name if reused else stay.kept_name
    return Service(
        url=url.set(database="test"),
        backend=server.backend,
        origin=f"container {box.image}",
        lasting=reused is not None,
        reused=reused is not None,
        container=name,
        shell=f"docker exec -it {shown} {server.shell}",
        remove=f"docker rm -f -v {shown}",
        stay=stay.keep,
        close=nothing_to_close if reused else close,
    )


def _launched(box: engine.Box, server: Server, driver: Driver, say: Say, patience: Patience) -> URL:
    """Launch a server, and return the administrator's URL, without a driver, once it answers."""
    say(f"starting {box.image} …")
    box.launch()
    server_url = partial(_server_url, box, server, f"{server.backend}+{driver.name}")
    _connected(box, server, partial(_answering, driver, server_url), say, patience).close()
    return without_driver(server_url())


class _Stay:
    """How long a container stays: until the end of the run, or, under another name, until the user removes it."""

    def __init__(self, name: str, say: Say) -> None:
        self._name = name
        self._say = say
        self._kept = self._gone = False
        self.kept_name = f"{engine.KEPT}{name.removeprefix('harness-')}"

    def keep(self) -> None:
        self._kept = True

    def let_go(self) -> None:
        """The container has no owner any more."""
        self._gone = True

    def end(self) -> None:
        if self._gone:
            return
        if self._kept:
            engine.rename(self._name, self.kept_name)
        elif not engine.remove(self._name):
            self._say(
                f"the container {self._name} could not be removed, as the container engine does not answer; "
                f"the next run does it, or: docker rm -f -v {self._name}"
            )


def _server_url(box: engine.Box, server: Server, drivername: str) -> URL:
    """Return the administrator's URL; fails while the engine has not published the port yet."""
    from sqlalchemy.engine import URL

    host, port = box.address()
    return URL.create(drivername, server.user, box.password, host, port, server.maintenance)


def _answering(driver: Driver, url: Callable[[], URL]) -> Physical:
    connection = driver.connect(url())
    try:
        connection.scalars("SELECT 1")
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(
    box: engine.Box, server: Server, connect: Callable[[], Physical], say: Say, patience: Patience
) -> Physical:
    try:
        return until_ready(
            connect,
            ended=box.ended,
            final=lambda problem: any(part in str(problem) for part in server.final),
            tell=lambda waited: say(f"starting {box.image} … {waited}"),
            patience=patience,
        )
    except NotReady as problem:
        last = str(problem.__cause__).strip() if problem.__cause__ else None
        raise complaints.not_ready(box.image, str(problem), last, box.log()) from problem
