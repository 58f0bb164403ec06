"""The container engine: the only file that knows testcontainers and docker.

Of testcontainers, the generic container is used rather than `PostgresContainer`: the latter's module moved in 4.15,
its URL names a driver, and its wait reads the log for two minutes even if the container has ended. What the user set
up for testcontainers (engine, registry login, image prefix, host override) holds all the same.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from time import monotonic, sleep
from typing import TYPE_CHECKING

from harness.database import complaints
from harness.database.identity import HOST, RUN, alive, host_token
from harness.errors import HarnessError, MissingExtra

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

    from harness.database.servers import Server

Say = Callable[[str], None]

#: How the names of containers begin that a user asked to keep; no sweep removes them.
KEPT = "harness-kept-"


def require() -> None:
    """Check that containers can be used from here at all.

    Raises:
        MissingExtra: testcontainers is not installed.
    """
    if find_spec("testcontainers") is None:
        raise MissingExtra("testcontainers", "containers", "a database in a container")


@contextlib.contextmanager
def reach(timeout: float = 8) -> Iterator[DockerClient]:
    """Talk to the engine that testcontainers would use, for a short while.

    Raises:
        MissingExtra: testcontainers is not installed.
        EngineUnavailable: no engine answers within `timeout` seconds.
    """
    require()
    from docker.errors import DockerException
    from testcontainers.core import docker_client

    place = docker_client.get_docker_host()
    source = "DOCKER_HOST" if os.environ.get("DOCKER_HOST") else "docker context or ~/.testcontainers.properties"
    tried = f"{place} ({source})" if place else "the default socket /var/run/docker.sock (DOCKER_HOST is not set)"
    try:  # here and below, OSError includes all that `requests` raises
        _knock(place or "unix:///var/run/docker.sock")
        client = docker_client.DockerClient(timeout=timeout).client
        client.ping()
    except (DockerException, OSError) as problem:
        raise complaints.no_engine(tried, str(problem)) from problem
    with contextlib.closing(client):
        yield client


def _knock(place: str) -> None:
    """Fail if nothing listens on a Unix socket. Docker's client would fail too, but leave its own socket open."""
    if place.startswith("unix://") and os.name != "nt":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(place.removeprefix("unix://"))


def sweep(say: Say) -> None:
    """Remove containers whose owner, a run on this machine, was killed before it could; raises what `reach` does."""
    from docker.errors import DockerException

    with reach() as engine, contextlib.suppress(DockerException, OSError):  # it is a courtesy: the run goes on without
        # `sparse`, because a container may go between being listed and being inspected; it has no `labels` then.
        for found in engine.containers.list(all=True, sparse=True, filters={"label": [RUN, f"{HOST}={host_token()}"]}):
            labels = found.attrs["Labels"]
            kept = any(name.lstrip("/").startswith(KEPT) for name in found.attrs["Names"])
            if not kept and not alive(labels) and _removed(found):
                say(f"removed a container left by a run that was killed ({labels[RUN]})")


def remove(name: str) -> bool:
    """Remove a container and its volumes; return whether it is gone, as far as the engine can be asked."""
    from docker.errors import DockerException, NotFound

    try:
        # A client of its own: this may run in a signal handler, in the middle of another request.
        with reach(timeout=30) as engine:
            try:
                found = engine.containers.get(name)
            except NotFound:
                sleep(0.3)  # an interrupted request for its creation may still be on its way
                found = engine.containers.get(name)
            _removed(found)
    except NotFound:
        return True
    except (HarnessError, DockerException, OSError):
        return False
    return True


def rename(name: str, new: str) -> None:
    """Give a container another name; an engine that is gone has taken it along."""
    from docker.errors import DockerException

    with contextlib.suppress(HarnessError, DockerException, OSError), reach(timeout=30) as engine:
        engine.containers.get(name).rename(new)


def ended(name: str) -> bool:
    """Tell whether a container is known to have stopped, or to be no more."""
    from docker.errors import DockerException, NotFound

    try:
        with reach(timeout=3) as engine:
            return _end(engine.containers.get(name)) is not None
    except NotFound:
        return True
    except (HarnessError, DockerException, OSError):
        return False


def diagnosis(name: str) -> str | None:
    """Tell how a container is and what it logged last, or None if the engine does not answer."""
    from docker.errors import DockerException, NotFound

    try:
        with reach(timeout=3) as engine:
            found = engine.containers.get(name)
            log = complaints.tail(found.logs(tail=20))
            return f"the container {name} {_end(found) or 'is running'}; the end of its log:\n{log}"
    except NotFound:
        return f"the container {name} no longer exists"
    except (HarnessError, DockerException, OSError):
        return None


class Box:
    """A container with a server in it, from its description to the query that proves it works.

    `name` is unique, as it is removed by it; `labels` say whose it is; `password` is the server administrator's.
    """

    def __init__(self, server: Server, image: str, *, name: str, password: str, labels: dict[str, str]) -> None:
        from docker.types import Mount
        from testcontainers.core.container import DockerContainer

        self._port = server.port
        self._container = DockerContainer(image).with_name(name).with_command(list(server.command))
        self._client = self._container.get_docker_client()
        #: As it is asked for, with the prefix of the user's registry.
        self.image = str(self._container.image)
        self.password = password
        for key, value in server.environment.items():
            self._container.with_env(key, value.format(password=password))
        # A mount, as `with_tmpfs_mount` is missing from older versions and `tmpfs=` collides with it in newer ones.
        # In memory, a start takes two thirds of the time and cloning a database a third.
        memory = Mount(target=server.memory, source=None, type="tmpfs")
        self._container.with_kwargs(labels=labels, mounts=[memory])
        # Nobody else's business: only this machine may connect, unless the engine is elsewhere. In docker's own form.
        mode = self._client.get_connection_mode().value
        self._local = mode == "docker_host" and self._client.host() in ("localhost", "127.0.0.1")
        ports: dict[str, object] = {f"{server.port}/tcp": ("127.0.0.1", None) if self._local else None}
        self._container.ports = ports  # type: ignore[assignment]  # narrower there than what is passed on to docker

    def fetch(self, say: Say) -> None:
        """Pull the image, if it is not on the engine's machine; DatabaseUnavailable if it cannot be pulled."""
        from docker.errors import DockerException, ImageNotFound
        from docker.utils import parse_repository_tag

        engine = self._client.client
        try:
            engine.images.get(self.image)
            return
        except ImageNotFound:
            say(f"pulling {self.image} …")
        repository, tag = parse_repository_tag(self.image)
        try:
            _pull(engine, repository, tag or "latest", lambda progress: say(f"pulling {self.image} … {progress}"))
        except (DockerException, OSError) as problem:
            local = sorted(tag for other in engine.images.list(name=repository) for tag in other.tags)
            raise complaints.no_image(self.image, _said(problem), local) from problem

    def launch(self) -> None:
        """Create and start the container; DatabaseUnavailable if the engine refuses."""
        from docker.errors import DockerException

        try:
            with _without_ryuk():
                self._container.start()
        except (DockerException, OSError) as problem:
            raise complaints.refused(self.image, _said(problem)) from problem

    def ended(self) -> str | None:
        """Tell how the container ended, or None while it runs."""
        from docker.errors import NotFound

        found = self._container.get_wrapped_container()
        try:
            found.reload()
        except NotFound:
            return "was removed by somebody"
        return _end(found)

    def address(self) -> tuple[str, int]:
        """Return host and port; fails while the engine has not published the port yet."""
        port = self._port
        identifier = str(self._container.get_wrapped_container().id)
        if self._client.get_connection_mode().use_mapped_port:
            port = int(self._client.port(identifier, port))
        return "127.0.0.1" if self._local else self._container.get_container_host_ip(), port

    def log(self) -> str:
        """Return the last lines of its log."""
        from docker.errors import DockerException

        try:
            return complaints.tail(self._container.get_wrapped_container().logs(tail=20))
        except (DockerException, OSError) as problem:
            return f"(it cannot be read: {_said(problem)})"

    def close(self) -> None:
        """Close the connection to the engine; the container goes on."""
        self._client.client.close()


@contextlib.contextmanager
def _without_ryuk() -> Iterator[None]:
    """Start a container without Ryuk, testcontainers' own janitor in a second container.

    Its image may be neither here nor in reach, and harness removes what it starts by itself (`cleanup.py`). Only
    for this moment: containers that the user starts with testcontainers keep the janitor he chose.
    """
    from testcontainers.core.config import testcontainers_config

    before = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        testcontainers_config.ryuk_disabled = before


def _pull(engine: DockerClient, repository: str, tag: str, tell: Say) -> None:
    from docker.errors import DockerException

    layers: dict[str, bool] = {}
    told = monotonic()
    for event in engine.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in event:
            raise DockerException(event["error"])
        if "id" in event and event["id"] != tag:
            layers[event["id"]] = event.get("status") in ("Pull complete", "Already exists")
        if monotonic() - told > 3:
            told = monotonic()
            tell(f"{sum(layers.values())} of {len(layers)} layers")


def _removed(container: Container) -> bool:
    from docker.errors import APIError

    try:
        container.remove(force=True, v=True)
    except APIError:
        return False  # gone already, or being removed by another run's sweep
    return True


def _end(container: Container) -> str | None:
    state = container.attrs["State"]
    if state["Status"] not in ("exited", "dead"):
        return None
    return f"stopped with exit code {state['ExitCode']}{' (out of memory)' if state.get('OOMKilled') else ''}"


def _said(problem: Exception) -> str:
    """Return the engine's own words, without the address of the request."""
    return str(getattr(problem, "explanation", None) or problem)
