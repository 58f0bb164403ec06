"""A database server in a container, started for this run and removed with it.

The only file that knows testcontainers and docker. Of testcontainers, the generic container is used rather than
`PostgresContainer`: the latter's module moved in 4.15, its URL names a driver, and its wait reads the log for two
minutes even if the container has ended. What the user set up for testcontainers (engine, registry login, image
prefix, host override) holds all the same.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness.database import complaints
from harness.database.cleanup import guaranteed
from harness.database.drivers.choice import drivers_for
from harness.database.handle import Database
from harness.database.identity import HOST, RUN, RunIdentity, alive, host_token
from harness.database.readiness import NotReady, Patience, until_ready
from harness.errors import EngineUnavailable, HarnessError, MissingExtra

if TYPE_CHECKING:
    from docker import DockerClient
    from sqlalchemy.engine import URL
    from testcontainers.core.container import DockerContainer

    from harness.database.drivers.physical import Physical
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
    sweep(say)
    password = secrets.token_urlsafe(24)
    container = _described(server, image or server.image, run, password)
    _fetch(container, say)
    name = f"harness-{run.run_id}-{secrets.token_hex(2)}"
    # By name, and before it exists: an interruption between its creation and our learning its id must not leak it.
    close = guaranteed(partial(_remove, name), outlives_process=True)
    try:
        say(f"starting {container.image} …")
        _launch(container.with_name(name))
        address = partial(_address, server, container, password)
        opening = partial(_open, driver.connect, address, f"{server.backend}+{driver.name}")
        connection = _await(server, container, opening, say, patience or Patience())
        database = f"harness_test_{run.run_id}"
        with contextlib.closing(connection):
            connection.script(server.create.format(name=database))
        url = address().set(database=database)
    except BaseException:
        close()
        raise
    finally:
        _engine_of(container).close()
    return Database(
        url=url,
        backend=server.backend,
        origin=f"container {container.image}",
        created=True,
        close=close,
        diagnose=partial(_diagnosis, name),
    )


def sweep(say: Say) -> None:
    """Remove containers whose owner, a run on this machine, was killed before it could.

    Raises:
        MissingExtra: testcontainers is not installed.
        EngineUnavailable: no container engine answers.
    """
    from docker.errors import DockerException

    with _engine() as engine, contextlib.suppress(DockerException):  # another run may be sweeping the same ones
        # `sparse`, because a container may go between being listed and being inspected.
        for found in engine.containers.list(all=True, sparse=True, filters={"label": [RUN, f"{HOST}={host_token()}"]}):
            if not alive(found.labels):
                found.remove(force=True, v=True)
                say(f"removed a container left by a run that was killed ({found.labels[RUN]})")


@contextlib.contextmanager
def _engine(timeout: float = 8) -> Iterator[DockerClient]:
    """Talk to the engine that testcontainers would use; one that does not answer is given up after `timeout`."""
    if find_spec("testcontainers") is None:
        raise MissingExtra("testcontainers", "containers", "a database in a container")
    from docker.errors import DockerException
    from requests.exceptions import RequestException
    from testcontainers.core import docker_client

    place = docker_client.get_docker_host()
    tried = f"DOCKER_HOST={place}" if place and os.environ.get("DOCKER_HOST") else f"{place or 'the default socket, /var/run/docker.sock (DOCKER_HOST is not set)'}"
    try:
        client = docker_client.DockerClient(timeout=timeout).client
        client.ping()
    except (DockerException, RequestException, OSError) as problem:
        raise complaints.no_engine(tried, str(problem)) from problem
    with contextlib.closing(client):
        yield client


def _engine_of(container: DockerContainer) -> DockerClient:
    return container.get_docker_client().client


def _described(server: Server, image: str, run: RunIdentity, password: str) -> DockerContainer:
    """Describe the container; nothing is started yet."""
    from docker.types import Mount
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image).with_command(list(server.command))
    for key, value in server.environment.items():
        container.with_env(key, value.format(password=password))
    # As a mount, since `with_tmpfs_mount` is missing from older versions and `tmpfs=` collides with it in newer ones.
    # In memory a start takes two thirds of the time, and cloning the database a third.
    memory = Mount(target=server.memory, source=None, type="tmpfs")
    container.with_kwargs(labels=run.labels(), mounts=[memory])
    # A test database is nobody else's business: only this machine may connect, unless the engine is elsewhere.
    container.ports[f"{server.port}/tcp"] = ("127.0.0.1", None) if _is_local(container) else None  # type: ignore[assignment]  # docker's own form
    return container


def _is_local(container: DockerContainer) -> bool:
    client = container.get_docker_client()
    return client.get_connection_mode().value == "docker_host" and client.host() in ("localhost", "127.0.0.1")


def _fetch(container: DockerContainer, say: Say) -> None:
    """Pull the image if it is not there."""
    from docker.errors import DockerException, ImageNotFound
    from docker.utils import parse_repository_tag
    from requests.exceptions import RequestException

    image, engine = container.image, _engine_of(container)
    try:
        engine.images.get(image)
    except ImageNotFound:
        repository, tag = parse_repository_tag(image)
        try:
            _pull(engine, repository, tag or "latest", partial(_tell, say, f"pulling {image} …"))
        except (DockerException, RequestException) as problem:
            local = sorted(tag for other in engine.images.list(name=repository) for tag in other.tags)
            engine.close()
            raise complaints.no_image(image, _said(problem), local) from problem
