"""The schema of a database that harness has made, copied from a template instead of built, where that saves anything.

That is where several processes need the same schema, the workers of pytest-xdist, and where a server is used again.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from harness.errors import HarnessError, SchemaError

if TYPE_CHECKING:
    from harness.database.service import Service
    from harness.database.templates import Templates
    from harness.run.run import Run
    from harness.run.served import Served


def project_of(run: Run) -> str:
    """Return a short name of the project, for what it has on a server that other projects use too."""
    return hashlib.sha256(str(run.root.resolve()).encode()).hexdigest()[:8]


def service_of(served: Served) -> Service | None:
    """Return the service that this process's database is on; None if it is on none."""
    told, serve = served.run.told, served.plan.serve
    for _, words in told["services"] if told is not None and serve is None else ():
        if words["origin"] == served.plan.origin:
            from harness.database.service import from_words

            return from_words(words)
    return serve() if told is None and serve is not None and served.run.settings.reuse else None


def templates_of(served: Served) -> Templates | None:
    """Return the templates that this process may use and make; None if it shall build its schema itself."""
    if served.target.backend != "postgresql" or served.schema_plan.made_from is None:
        return None
    service = service_of(served)
    if service is None or not (service.reused or served.run.told is not None) or not _is_empty(served):
        return None
    from harness.database.templates import Templates

    templates = Templates(service.url, served.run.identity, project_of(served.run) if service.reused else None)
    served.run.at_end(templates.close)
    return templates


def _is_empty(served: Served) -> bool:
    """Tell whether nothing is in the database yet: what the application made when it was imported is its own."""
    from harness.schema.inventory import inventory

    found = inventory(served.sessions.engine)
    return not found.tables and not found.enums and found.schemas <= {"public"}


def through_template(served: Served, templates: Templates) -> list[str]:
    """Make the schema by copying a template, or build it and make the template; return notes for the report."""
    from harness.run.building import built

    try:
        name = _fingerprint(served)
    except SchemaError as error:
        return [*built(served), f"the schema is built without a template: {error.why}"]
    with templates.settled(name) as there:
        if not there:
            return [*built(served), *_taken(served, templates, name)]
        told = _copied(served, templates, name)
        return [*built(served), told] if told else []


def _fingerprint(served: Served) -> str:
    from harness.schema.fingerprint import fingerprint

    made_from = served.schema_plan.made_from
    assert made_from is not None
    announced = {variable.partition("=")[0] for variable in served.run.settings.url_env}
    environment = {name: value for name, value in os.environ.items() if name not in announced and value}
    server = served.target.pinned.physical.scalars("SELECT version()")
    flags = f"advancing {served.run.any_advancing}, distinct {served.run.any_distinct}"
    return fingerprint([flags, str(server[0]), *made_from(served.sessions.engine, environment)])


def _copied(served: Served, templates: Templates, fingerprint: str) -> str | None:
    """Replace the run's database by a copy; return what went wrong, and None if nothing did."""
    from harness.run.building import let_time_go_on

    served.target.pinned.rest(disconnect=True)
    try:
        templates.copy(fingerprint, str(served.target.url.database))
    except HarnessError as error:
        return f"the schema was built anew, as its template could not be copied: {error.fact} ({error.why})"
    let_time_go_on(served)
    return None


def _taken(served: Served, templates: Templates, fingerprint: str) -> list[str]:
    """Make a template of the run's database; return what went wrong, which is no reason to fail."""
    served.target.pinned.rest(disconnect=True)
    try:
        templates.take(fingerprint, str(served.target.url.database))
    except HarnessError as error:
        return [f"no template of the schema was made: {error.fact} ({error.why})"]
    return []
