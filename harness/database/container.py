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
from harness.database.handle import Database, Keeping
from harness.database.readiness import NotReady, Patience, until_ready
from harness.database.urls import without_driver

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from harness.database.drivers.choice import Driver
    from harness.database.drivers.physical import Physical
    from harness.database.identity import RunIdentity
    from harness.database.servers import Server

Say = Callable[[str], None]


def start(server: Server, image: str | None, run: RunIdentity, say: Say, patience: Patience | None = None) -> Database:
    """Start a server, create the run's database in it, and return that.

    Args:
        server: which server.
        image: the image, or None for the server's own.
        run: the owner; what dead owners left on this machine is removed first.
        say: receives what is going on, while the user waits.
        patience: how long to wait for the server.

    Raises:
        MissingExtra: testcontainers, or every driver for the server, is not installed.
        EngineUnavailable: no container engine answers.
        DatabaseUnavailable: no image, or no usable server in the container.
    """
    driver = drivers_for(server.backend, ())
    engine.require()
    engine.sweep(say)
    password = secrets.token_urlsafe(24)
    name = f"harness-{run.run_id}-{secrets.token_hex(2)}"
    box = engine.Box(server, image or server.image, name=name, password=password, labels=run.labels())
    with contextlib.closing(box):
        box.fetch(say)
        # Before it exists: an interruption between its creation and our learning of it must not leak it.
        stay = _Stay(name, say)
        close = guaranteed(stay.end, outlives_process=True)
        try:
            say(f"starting {box.image} …")
            box.launch()
            server_url = partial(_server_url, box, server, f"{server.backend}+{driver.name}", password)
            connection = _connected(box, server, partial(_answering, driver, server_url), say, patience or Patience())
            database = f"harness_test_{run.run_id}"
            with contextlib.closing(connection):
                _create(connection, box, server.create.format(name=database))
            url = without_driver(server_url()).set(database=database)
        except BaseException:
            close()
            raise
    return Database(
        url=url,
        backend=server.backend,
        origin=f"container {box.image}",
        created=True,
        close=close,
        diagnose=partial(engine.diagnosis, name),
        gone=partial(engine.ended, name),
        keeping=Keeping(
            keep=stay.keep,
            open=lambda database: f"docker exec -it {stay.kept_name} {server.shell.format(name=database)}",
            remove=f"docker rm -f -v {stay.kept_name}",
        ),
    )


class _Stay:
    """How long a container stays: until the end of the run, or, under another name, until the user removes it."""

    def __init__(self, name: str, say: Say) -> None:
        self._name = name
        self._say = say
        self._kept = False
        self.kept_name = f"{engine.KEPT}{name.removeprefix('harness-')}"

    def keep(self) -> None:
        self._kept = True

    def end(self) -> None:
        if self._kept:
            engine.rename(self._name, self.kept_name)
        elif not engine.remove(self._name):
            self._say(
                f"the container {self._name} could not be removed, as the container engine does not answer; "
                f"the next run does it, or: docker rm -f -v {self._name}"
            )


def _server_url(box: engine.Box, server: Server, drivername: str, password: str) -> URL:
    """Return the administrator's URL; fails while the engine has not published the port yet."""
    from sqlalchemy.engine import URL

    host, port = box.address()
    return URL.create(drivername, server.user, password, host, port, server.maintenance)


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


def _create(connection: Physical, box: engine.Box, statement: str) -> None:
    try:
        connection.script(statement)
    except Exception as problem:  # each driver has exceptions of its own
        raise complaints.not_ready(box.image, f"{statement} failed", str(problem).strip(), box.log()) from problem
