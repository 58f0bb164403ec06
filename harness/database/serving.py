"""From the name of a server to one that runs: one kept by an earlier run, a container, this machine's own programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.database import binaries
from harness.errors import ConfigError, DatabaseUnavailable, EngineUnavailable, MissingExtra

if TYPE_CHECKING:
    from harness.database.identity import RunIdentity
    from harness.database.servers import Server
    from harness.database.service import Service

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the user wants a server to be provided.

    Attributes:
        image: the container image, or None for the server's own.
        where: `container`, `local`, or `auto` for the first of them that is there.
        reuse: use a server that an earlier run has left, and leave this one to the next.
        forget: the project whose templates on such a server shall be made anew.
    """

    image: str | None = None
    where: str = "auto"
    reuse: bool = False
    forget: str | None = None


def check(server: Server, wishes: Wishes) -> None:
    """Refuse what cannot be.

    Raises:
        ConfigError: a local server was asked for that harness cannot start.
    """
    if wishes.where == "local" and server.backend != "postgresql":
        raise ConfigError(
            f"harness_server 'local' cannot be used with {server.name}",
            why="harness starts a server of this machine's own programs for PostgreSQL only",
            remedy="use harness_server = container, harness_database = postgres, or give a URL",
        )


def order(server: Server, wishes: Wishes) -> str:
    """Return what will be tried, for the report header; nothing is started or run for it."""
    places = ["reusable server"] if wishes.reuse else []
    if wishes.where != "local":
        places.append(f"container {wishes.image or server.image}")
    if wishes.where == "local" or _may_be_local(server, wishes):
        places.append(f"local server ({binaries.directory() or 'not installed'})")
    return ", else ".join(places)


def _may_be_local(server: Server, wishes: Wishes) -> bool:
    """Tell whether this machine's programs may stand in; not for an image that was chosen."""
    local = wishes.where == "auto" and wishes.image is None and server.backend == "postgresql"
    return local and binaries.supported() and binaries.directory() is not None


def serve(server: Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service:
    """Provide a server.

    Raises:
        MissingExtra: testcontainers, or every driver for the server, is not installed.
        DatabaseUnavailable: there is none, and none can be started.
    """
    if not wishes.reuse:
        return _started(server, wishes, run, say)
    from harness.database.reuse import how_to_stop, kept

    service = kept(server, wishes, run, say)
    if service is None:
        service = _started(server, wishes, run, say)
    elif wishes.forget is not None and server.backend == "postgresql":
        from harness.database.templates import forget

        forget(service.url, run, wishes.forget, say)
    say(how_to_stop(service))
    return service


def _started(server: Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service:
    if wishes.where == "local":
        return _local(server, wishes, run, say)
    try:
        return _container(server, wishes, run, say)
    except (EngineUnavailable, MissingExtra) as problem:
        if isinstance(problem, MissingExtra) and problem.package != "testcontainers":
            raise
        if not _may_be_local(server, wishes):
            raise
        say(f"{problem.fact}; starting a local server instead")
        try:
            return _local(server, wishes, run, say)
        except DatabaseUnavailable as second:
            raise _neither(problem, second) from second


def _container(server: Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service:
    from harness.database import container, local

    local.sweep(say)  # a run that was killed here may have had none
    if not wishes.reuse:
        return container.serve(server, wishes.image, run, say)
    from harness.database.reuse import started

    return started(server, wishes, "container", partial(_reusable_container, server, wishes.image, run, say))


def _reusable_container(server: Server, image: str | None, run: RunIdentity, say: Say, name: str) -> Service:
    from harness.database import container

    return container.serve(server, image, run, say, reused=name)


def _local(server: Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service:
    from harness.database import local

    if not wishes.reuse:
        return local.serve(run, say)
    from harness.database.reuse import started

    return started(server, wishes, "local", lambda name: local.serve(run, say, local.cache() / name))


def _neither(first: MissingExtra | DatabaseUnavailable, second: DatabaseUnavailable) -> DatabaseUnavailable:
    why = [f"a container: {first.fact}", *(f"  {line}" for line in (first.why or "").splitlines())]
    why += [f"a local server: {second.fact}", *(f"  {line}" for line in (second.why or "").splitlines())]
    return DatabaseUnavailable(
        "neither a container nor a local server can provide the database",
        where=first.where,
        why="\n".join(why),
        remedy=f"{first.remedy}\nor {second.remedy}",
    )
