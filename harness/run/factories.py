"""Factories of a run: which sessions they use, and from when on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from harness.run.arrival import on_arrival

if TYPE_CHECKING:
    from harness.factories.desk import Desk
    from harness.run.run import Run


def desk_of(run: Run) -> Desk:
    """Return a desk whose sessions are the run's own."""
    from harness.factories.desk import Desk

    def make(asynchronous: bool) -> Any:
        run.ready()
        session = run.sessions.async_session() if asynchronous else run.sessions.session()
        run.when_session_made(session)
        return session

    def captured(engine: Any) -> bool:
        return run.registry is not None and run.registry.engine_of(engine.pool) is not None

    return Desk(make, captured)


@contextmanager
def factories_bound(desk: Desk) -> Iterator[None]:
    """Let factories use the desk's sessions, from the moment their libraries are imported until the context ends."""
    from harness.factories.desk import opened

    with ExitStack() as stack:

        def factory_boy() -> None:
            from harness.factories.factory_boy import bound

            stack.enter_context(bound(desk))

        def polyfactory() -> None:
            from harness.factories.polyfactory import bound

            stack.enter_context(bound(desk))

        stack.enter_context(opened(desk))
        stack.enter_context(on_arrival("factory.alchemy", factory_boy))
        stack.enter_context(on_arrival("polyfactory.factories.sqlalchemy_factory", polyfactory))
        yield
