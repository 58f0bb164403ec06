"""Calls of factories that a test writes: awaited ones, and the choice of another session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.factories.desk import Desk, current_desk


async def create(factory: Any, /, **attributes: Any) -> Any:
    """Return what `factory(**attributes)` makes, stored through the test's `AsyncSession`.

        user = await harness.create(UserFactory, name="ann")

    Args:
        factory: a factory of factory-boy, or of polyfactory.
        attributes: what the factory shall not choose itself.

    Raises:
        FactoryError: no test is running, or the factory cannot make it.
    """
    return await _awaited(current_desk(), lambda: _one(factory, attributes))


async def create_batch(factory: Any, size: int, /, **attributes: Any) -> list[Any]:
    """Return a list of `size` objects; as `create` otherwise."""
    made: list[Any] = await _awaited(current_desk(), lambda: _several(factory, size, attributes))
    return made


def _one(factory: Any, attributes: dict[str, Any]) -> Any:
    make = getattr(factory, "create_sync", None) or factory.create
    return make(**attributes)


def _several(factory: Any, size: int, attributes: dict[str, Any]) -> Any:
    make = getattr(factory, "create_batch_sync", None) or factory.create_batch
    return make(size, **attributes)


async def _awaited(desk: Desk, make: Callable[[], Any]) -> Any:
    session = desk.awaited_session()
    if session is None:
        return make()
    with desk.awaiting(session):
        return await session.run_sync(lambda _: make())
