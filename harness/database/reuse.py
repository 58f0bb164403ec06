"""Servers that stay when a run ends, so that the next one finds them running: one for each kind, image and user."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.database.drivers.choice import drivers_for
from harness.database.local import alone, cache
from harness.database.service import Service, as_words, catalogs_of, from_words

if TYPE_CHECKING:
    from harness.database.identity import RunIdentity
    from harness.database.servers import Server
    from harness.database.serving import Wishes

Say = Callable[[str], None]


def kept(server: Server, wishes: Wishes, run: RunIdentity, say: Say) -> Service | None:
    """Return a server that an earlier run has left and that answers; None if there is none.

    Neither a container engine nor a program is asked: where it is, and its password, are in a file of the user's.
    """
    # A local server has no image, so it cannot be the one that was chosen.
    places = [wishes.where] if wishes.where != "auto" else ["container"] if wishes.image else ["container", "local"]
    for where in places:
        service = _answering(_file(server, wishes.image, where))
        if service is not None:
            with closing(catalogs_of(service.url, run)) as catalogs:
                catalogs.sweep(say)
            return service
    return None


def started(server: Server, wishes: Wishes, where: str, start: Callable[[str], Service]) -> Service:
    """Start a server that stays, unless another run does at the same time.

    Args:
        server: which server.
        wishes: with its image.
        where: `container` or `local`.
        start: starts it; takes the name that it shall have.
    """
    file = _file(server, wishes.image, where)
    with alone(file.stem):
        service = _answering(file)
        if service is None:
            service = start(f"harness-reused-{file.stem}")
            file.touch(mode=0o600)
            file.write_text(json.dumps(as_words(service)), encoding="utf-8")
    return service


def how_to_stop(service: Service) -> str:
    """Return what tells the user that a server stays."""
    return f"the server stays for the next run with --harness-reuse; to remove it: {service.remove}"


def _file(server: Server, image: str | None, where: str) -> Path:
    """Return the file that tells where the server is. Engines, and machines that share a home, have one each."""
    told = [server.name, where, platform.node(), str(cache())]
    if where == "container":
        told += [image or server.image, os.environ.get("DOCKER_HOST", "")]
    return cache() / f"{server.name}-{where}-{hashlib.sha256(repr(told).encode()).hexdigest()[:8]}.json"


def _answering(file: Path) -> Service | None:
    try:
        service = from_words(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):  # half-written, or by another version of harness
        return None
    driver = drivers_for(service.backend, ())
    maintenance = "postgres" if service.backend == "postgresql" else "mysql"
    try:
        driver.connect(service.url.set(drivername=f"{service.backend}+{driver.name}", database=maintenance)).close()
    except Exception:  # noqa: BLE001 - whatever the reason, it is of no use; what is left of it is removed at the start
        return None
    return service
