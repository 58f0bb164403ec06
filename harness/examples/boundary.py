"""Where an example of hypothesis begins and ends: before its arguments are drawn, and after its test has ended.

hypothesis documents one hook, `test.hypothesis.inner_test`. It comes too late for this, as strategies may have written
to the database by then, and a state machine has no handle that could be reached before it runs. What surrounds every
single example, of `@given`, `@example`, a replay, a shrink, a state machine or `find`, is the build context: it is
replaced here, and only here. `tests/backends/test_private_names.py` pins its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import TracebackType
from typing import Any


@contextmanager
def around_each(begin: Callable[[], None], end: Callable[[BaseException | None], None]) -> Iterator[None]:
    """Call `begin` before each example and `end` after it, until the context ends.

    An example inside an example, as of `find` in a test, is a part of the outer one. What `end` raises is what the
    example raises; it is given what the example has raised, unless that is only a failed assumption.

    Raises:
        AttributeError, ImportError: this hypothesis has no such class.
    """
    from hypothesis.control import BuildContext
    from hypothesis.errors import UnsatisfiedAssumption

    enter, leave = BuildContext.__enter__, BuildContext.__exit__
    open_in: dict[int, int] = {}

    def entered(context: Any) -> Any:
        thread = get_ident()
        open_in[thread] = open_in.get(thread, 0) + 1
        if open_in[thread] == 1:
            try:
                begin()
            except BaseException:
                del open_in[thread]
                raise
        return enter(context)

    def left(
        context: Any, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        thread = get_ident()
        open_in[thread] -= 1
        outermost = open_in[thread] == 0
        if outermost:
            del open_in[thread]
        try:
            leave(context, kind, error, trace)  # runs what strategies have registered as their cleanup
        except BaseException as failure:
            if outermost:
                end(failure)
            raise
        if outermost:
            end(None if isinstance(error, UnsatisfiedAssumption) else error)

    replaced: Any = BuildContext
    replaced.__enter__, replaced.__exit__ = entered, left
    try:
        yield
    finally:
        replaced.__enter__, replaced.__exit__ = enter, leave
