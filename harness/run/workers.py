"""pytest-xdist: one server, started by the controller; each worker makes a database of its own on it.

A worker needs to know the server before its configuration is complete, as an application that a conftest.py imports
may read the database's URL from the environment. So the controller says it in an environment variable, which each
worker takes out of its own environment at once: tests, and what they start, do not see it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.database.identity import RunIdentity
    from harness.database.provider import Plan
    from harness.database.service import Service
    from harness.run.run import Run

#: Where the controller tells its workers whose they are and which server there is, as JSON.
VARIABLE = "HARNESS_OF_CONTROLLER"
_WORKER = "PYTEST_XDIST_WORKER"


def heard(environment: dict[str, str] | os._Environ[str]) -> dict[str, Any] | None:
    """Return what the controller has told this worker; None in a process that is none."""
    text = environment.get(VARIABLE)
    if text is None or _WORKER not in environment:
        return None
    del environment[VARIABLE]
    return {**json.loads(text), "worker": environment[_WORKER]}


def identity_of(told: dict[str, Any] | None) -> RunIdentity:
    """Return who owns what this process starts and creates."""
    from harness.database import identity

    if told is None:
        return identity.current()
    return identity.RunIdentity(**{**told["run"], "worker": told["worker"]})


def plan_of(run: Run, database: str, image: str | None) -> Plan:
    """Decide where a test database comes from, without starting anything."""
    from harness.database.provider import choose, on_service
    from harness.database.serving import Wishes
    from harness.run.templating import project_of

    settings, told = run.settings, run.told
    for wanted, service in told["services"] if told is not None else ():
        if wanted == [database, image]:
            from harness.database.service import from_words

            return on_service(from_words(service), run.identity, run.say)
    forget = project_of(run) if settings.fresh else None
    wishes = Wishes(where=settings.server, reuse=settings.reuse, forget=forget)
    tables = run.decisions.get("schema", settings.schema) != "none"
    return choose(database, image, settings.allow_database, run.identity, run.say, wishes, tables=tables)


class Workers:
    """What a controller provides for its workers.

    Args:
        run: the run of the controller.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._services: list[Service] = []
        self._drops: list[Callable[[], None]] = []
        self._told = False

    def begin(self, count: int) -> None:
        """Start the servers, if there will be any, and tell the workers that start from now on.

        Args:
            count: how many there will be at once.

        Raises:
            HarnessError: there is no server, or it cannot serve so many.
        """
        from dataclasses import asdict

        from harness.config.images import image_for

        self._told, run = True, self._run
        words: dict[str, Any] = {"run": asdict(run.identity), "services": []}
        del words["run"]["worker"]
        for number, database in enumerate(run.settings.databases if run.active else ()):
            image = image_for(database, run.settings.image)
            plan = plan_of(run, database, image) if number else run.plan
            if plan.serve is not None:
                words["services"].append(([database, image], self._serve(plan.serve, count)))
        os.environ[VARIABLE] = json.dumps(words)

    def _serve(self, serve: Callable[[], Service], count: int) -> dict[str, Any]:
        """Start a server, and return it as words."""
        from harness.database.service import as_words, check_room

        service = serve()
        self._services.append(service)
        self._guard(service)
        check_room(service, self._run.identity, count)
        return as_words(service)

    def _guard(self, service: Service) -> None:
        """Have what workers leave on a server that stays dropped, however this process ends."""
        if service.lasting:
            from functools import partial

            from harness.database.cleanup import guaranteed
            from harness.database.service import drop_all

            drop = partial(drop_all, service, self._run.identity, self._run.say)
            self._drops.append(guaranteed(drop, outlives_process=True))

    def close(self) -> None:
        """Remove what workers have left, and end the server; safe to call twice."""
        if not self._told:
            return
        self._told = False
        os.environ.pop(VARIABLE, None)
        from harness.database.images import remove_directories

        remove_directories(self._run.identity)
        services, self._services = self._services, []
        with ExitStack() as stack:
            for service in services:
                stack.callback(service.close)
            for drop in self._drops:
                stack.callback(drop)
            if self._run.settings.keep_failed:
                for service in services:
                    if not service.lasting:
                        stack.callback(self._keep, service)

    def _keep(self, service: Service) -> None:
        """Let the server outlive the run if a worker has kept the database of a failed test on it."""
        from contextlib import closing

        from harness.database.service import catalogs_of

        with closing(catalogs_of(service.url, self._run.identity)) as catalogs:
            try:
                kept = catalogs.kept()
            except Exception as problem:  # noqa: BLE001 - the server may be gone, and nothing is kept then
                self._run.say(f"the server cannot be asked for databases to keep: {problem}")
                return
        if kept:
            service.stay()
