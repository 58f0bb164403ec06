"""Engines are captured for the only database of a run, or for the one that each belongs to.

An engine may be named by a reference, `engine=shop.db:engine`, which leads to it only when its module has been
imported; so each time one of these modules has arrived, and before each test, engines that wait are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.isolation.capture import Captor
    from harness.run.run import Run


@contextmanager
def captured(run: Run) -> Iterator[Captor]:
    """Capture every engine until the context ends; return who has captured it."""
    from harness.isolation.capture import Registry, capturing

    for served in run.served:
        served.registry = Registry(served.target)
        served.registry.when_made = lambda engine: run.when_engine_made(engine)
    with ExitStack() as stack:
        captor = _routes(run) if run.several else run.default.registry
        assert captor is not None
        stack.enter_context(capturing(captor, lambda: any(served.target.own_engine for served in run.served)))
        yield captor


def _routes(run: Run) -> Captor:
    from harness.isolation.routes import Routes
    from harness.run.claims import Claims

    claims = Claims(run.settings.further, lambda: run.served, run.settings.source("databases"))
    registries = [served.registry for served in run.served if served.registry is not None]
    return Routes(registries, claims.choose, claims.refusal)


@contextmanager
def settling(run: Run) -> Iterator[None]:
    """Look at engines that wait whenever a module has been imported in which one is named."""
    from harness.run.arrival import on_arrival

    def settle() -> None:
        if run.registry is not None:
            run.registry.settle()

    modules = {reference.partition(":")[0] for one in run.settings.further for reference in one.engines}
    with ExitStack() as stack:
        for module in sorted(modules):
            stack.enter_context(on_arrival(module, settle))
        yield
