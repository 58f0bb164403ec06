"""Where a strategy stores what it draws: in the test that is running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from harness.errors import HarnessError

T = TypeVar("T")

_storing: ContextVar[Callable[[Any], None] | None] = ContextVar("harness_storing", default=None)


@contextmanager
def storing(how: Callable[[Any], None]) -> Iterator[None]:
    """While active, `store` stores like this."""
    token = _storing.set(how)
    try:
        yield
    finally:
        _storing.reset(token)


def store(instance: T) -> T:
    """Store an instance, and all that it refers to, in the running test.

    Raises:
        HarnessError: none is running, or it commits for real.
    """
    how = _storing.get()
    if how is None:
        raise HarnessError(
            f"a row of {type(instance).__name__} can be drawn only in a test whose work harness undoes",
            why="nobody would remove it",
            remedy='draw it in a test with @given, and without @pytest.mark.harness(isolation="none"), run by\n'
            "pytest -p harness; or take from_model, which stores nothing",
        )
    how(instance)
    return instance
