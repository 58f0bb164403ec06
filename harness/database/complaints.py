"""What can go wrong with a container, told to the one who has to act. Nothing here knows an engine's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import DatabaseUnavailable, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

ANOTHER_WAY = (
    "or do without containers: --harness-database=sqlite, or give a server's URL: "
    "--harness-database=postgresql://user:password@host/app_test"
)


def no_engine(tried: str, said: str) -> EngineUnavailable:
    """No container engine answers at the place that was tried."""
    return EngineUnavailable(
        "no container engine answers, and a database in a container needs one",
        where=tried,
        why=f"the attempt to reach it ended with: {said}",
        remedy="start Docker (systemctl start docker, or Docker Desktop), Podman's socket, Colima …\n"
        "or point DOCKER_HOST at the engine (docker context ls shows where it is)\n" + ANOTHER_WAY,
    )


def no_image(image: str, said: str, local: Sequence[str]) -> DatabaseUnavailable:
    """The image is not on this machine and cannot be fetched."""
    have = f"these are here: harness_image = {' or '.join(local)}" if local else "no other version of it is here either"
    return DatabaseUnavailable(
        f"the image {image} is not on this machine and cannot be pulled",
        where="harness_image",
        why=f"the engine says: {said}",
        remedy=f"fetch it where a registry can be reached: docker pull {image}\nor name another image; {have}\n"
        + ANOTHER_WAY,
    )


def refused(image: str, said: str) -> DatabaseUnavailable:
    """The engine would not create or start the container (no port, no disk, no memory …)."""
    return DatabaseUnavailable(
        f"the engine refused to start {image}",
        why=f"the engine says: {said}",
        remedy="free what is missing (docker ps -a, docker system df), then run again\n" + ANOTHER_WAY,
    )


def not_ready(image: str, reason: str, last: str | None, log: str) -> DatabaseUnavailable:
    """The container runs, or ran, but no server can be reached in it."""
    why = [f"the last attempt to connect ended with: {last}"] if last else []
    why += ["the end of its log:", *(f"  {line}" for line in log.splitlines())] if log else ["its log is empty"]
    return DatabaseUnavailable(
        f"the database in the container {image} cannot be used: {reason}",
        why="\n".join(why),
        remedy="see to what the log says, or name another image: harness_image = …\n" + ANOTHER_WAY,
    )


def tail(log: bytes, lines: int = 20) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.decode(errors="replace").strip().splitlines()[-lines:])
