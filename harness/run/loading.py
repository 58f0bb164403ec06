"""The application is imported once, and tells which tables it has and which classes its sessions are of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import AppError

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from harness.isolation.pinned import Pinned
    from harness.run.run import Run


def application(run: Run) -> Any:
    """Return the application that was decided on, named or found.

    Raises:
        AppError: there is none, or it cannot be imported.
    """
    decided = run.decisions.get("app")
    if decided is not None and not isinstance(decided, str):
        return decided
    if run.app_spec is None:
        raise AppError(
            "no application is named, and none was found in the usual places",
            where=str(run.root),
            remedy='name it in the pytest configuration: harness_app = "myapp.main:app"',
        )
    return _imported(run, run.app_spec)


def _imported(run: Run, spec: str) -> Any:
    """Import the application. What it does to the database meanwhile belongs to the run, not to one test."""
    from harness.session.application import load_app

    if not run.captured:
        return load_app(spec)
    with ExitStack() as stack:
        stack.enter_context(run.shared())
        for served in run.served:
            if not any(level.opened for level in served.target.pinned.levels[1:]):
                stack.enter_context(_belonging_to_the_run(served.target.pinned))
        return load_app(spec)


@contextmanager
def _belonging_to_the_run(pinned: Pinned) -> Iterator[None]:
    """What happens meanwhile is committed, and is not what the schema has to be there for."""
    first, pinned.on_first_use = pinned.on_first_use, None
    try:
        with pinned.committing():
            yield
    finally:
        pinned.on_first_use = first


def session_class(run: Run, asynchronous: bool) -> type[Any] | None:
    """Return the class of the application's sessions; None without an application, or if it has none of the kind."""
    from harness.session.maker import plain_class

    if run.app_spec is None and "app" not in run.decisions:
        return None
    run.app  # noqa: B018 - its dependencies are known once it is imported
    for dependency in run.dependencies:
        if dependency.kind.is_async is asynchronous and dependency.session_class is not None:
            return plain_class(dependency.session_class)
    return None


def metadata(run: Run) -> tuple[MetaData, ...]:
    """Return the tables of the application."""
    from harness.session.metadata_of import find_metadata, load_metadata

    if "metadata" in run.decisions:
        return tuple(run.decisions["metadata"])
    if run.settings.metadata:
        return load_metadata(run.settings.metadata)
    packages: tuple[str, ...] = ()
    if run.app_spec is not None:
        run.app  # noqa: B018 - importing the application imports its models
        packages = (run.app_spec.partition(":")[0].partition(".")[0],)
    return find_metadata(packages, root=run.root)
