"""Which database an engine of an application with several is redirected to."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import EscapeError
from harness.isolation.capture import Registry
from harness.isolation.captured import Captured

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.engine.base import OptionEngine
    from sqlalchemy.pool import Pool

    from harness.errors import HarnessError


class Route(NamedTuple):
    """Where an engine leads."""

    registry: Registry
    #: The replica that it reads from, if it does.
    replica: str | None = None
    #: Raises an error if it may not connect there after all; told the URL it was made with.
    admit: Callable[[URL], None] | None = None


class Routes:
    """Captures engines for several databases; one that belongs to none of them cannot connect.

    Args:
        registries: of all databases.
        choose: returns where an engine leads; None if nothing claims it, or not yet, or several do.
        refusal: returns the error for an engine that was used and leads nowhere.
    """

    def __init__(
        self,
        registries: Sequence[Registry],
        choose: Callable[[Engine], Route | None],
        refusal: Callable[[Engine], HarnessError],
    ) -> None:
        self._registries = registries
        self._choose = choose
        self._refusal = refusal
        #: Engines that nothing claims, and the pool that each was made with.
        self._waiting: weakref.WeakKeyDictionary[Engine, Pool] = weakref.WeakKeyDictionary()

    def add(self, engine: Engine) -> None:
        """Capture an engine for its database."""
        own = next((registry for registry in self._registries if registry.making_own is not None), None)
        route = self._choose(engine) if own is None else Route(own)
        if route is None:
            self._let_wait(engine)
        else:
            route.registry.add(engine, route.replica, route.admit)

    def add_options(self, engine: OptionEngine) -> None:
        """Let an engine that shares the pool of another one follow it."""
        for registry in self._registries:
            registry.add_options(engine)

    def settle(self) -> None:
        """Look again at the engines that nothing has claimed so far: what names them may be there now."""
        for engine, pool in list(self._waiting.items()):
            route = self._choose(engine)
            if route is not None:
                del self._waiting[engine]
                engine.pool = pool
                route.registry.add(engine, route.replica, route.admit)

    def known(self, engine: Engine) -> Captured | None:
        """Return what an engine was before it was captured; None if it was not."""
        found = (registry.known(engine) for registry in self._registries)
        return next((known for known in found if known is not None), None)

    def engine_of(self, pool: Pool) -> tuple[Engine, Captured] | None:
        """Return the engine whose pool this is, and what it was before; None for a pool of nobody's."""
        found = (registry.engine_of(pool) for registry in self._registries)
        return next((engine for engine in found if engine is not None), None)

    def restore(self) -> None:
        """Give every engine back what it was made with."""
        for engine, pool in self._waiting.items():
            engine.pool = pool
        self._waiting.clear()
        for registry in self._registries:
            registry.restore()

    def _let_wait(self, engine: Engine) -> None:
        self._waiting[engine] = engine.pool
        dialect, reference = type(engine.dialect), weakref.ref(engine)
        pool = engine.pool.recreate()

        def creator() -> Any:
            owner = reference()
            assert owner is not None
            self.settle()
            if owner in self._waiting:
                raise self._refusal(owner)
            for registry in self._registries:
                if (known := registry.known(owner)) is not None and type(owner.dialect) is dialect:
                    return registry.connect(owner, known)
            raise _too_late(owner)

        pool._creator = creator
        engine.pool = pool


def _too_late(engine: Engine) -> EscapeError:
    return EscapeError(
        f"an engine of {engine.dialect.name} was used before harness could know which database it is of",
        why="its reference in harness_databases leads to it only since this moment; used once more, it would work",
        remedy="say which engine it is by its URL, which is known when it is made: url=PATTERN",
    )
