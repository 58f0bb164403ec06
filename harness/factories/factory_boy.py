"""factory-boy's SQLAlchemy factories, bound to the test's session.

Every factory reads its session from its options, so the attribute `sqlalchemy_session` of `SQLAlchemyOptions` becomes
a property for as long as the run lasts: it holds for factories that were declared earlier or come later, and for those
with a `_create` of their own. `_generate`, through which each call goes, is wrapped: it sends the rows to the database,
as requests have sessions of their own. Both names are pinned by tests on the lowest and newest factory-boy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.factories.explained import explained

if TYPE_CHECKING:
    from harness.factories.desk import Desk

_OPTION = "sqlalchemy_session"


class _TestSession:
    """The session of a factory: the one it names, if that is harmless, else the test's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __get__(self, options: Any, owner: type) -> Any:
        if options is None:
            return self
        if _OPTION not in vars(options):  # a factory that is being declared, which must find nothing
            raise AttributeError(_OPTION)
        return self._desk.session_for(options.factory, vars(options)[_OPTION])

    def __set__(self, options: Any, session: Any) -> None:
        # A subclass that is declared while a test runs reads its parent's: what stands in for None is None again.
        vars(options)[_OPTION] = None if self._desk.owns(session) else session


@contextmanager
def bound(desk: Desk) -> Iterator[None]:
    """Bind all factories until the context ends; factory-boy must be imported."""
    from factory import enums
    from factory.alchemy import SQLAlchemyModelFactory, SQLAlchemyOptions

    before = vars(SQLAlchemyOptions).get(_OPTION)
    original = vars(SQLAlchemyModelFactory)["_generate"]

    def _generate(cls: Any, strategy: str, params: dict[str, Any]) -> Any:
        if strategy != enums.CREATE_STRATEGY:
            return original.__func__(cls, strategy, params)
        with explained(cls, desk), desk.call(completed=not _completed_later(cls)):
            return original.__func__(cls, strategy, params)

    SQLAlchemyOptions.sqlalchemy_session = _TestSession(desk)
    SQLAlchemyModelFactory._generate = classmethod(_generate)
    try:
        yield
    finally:
        SQLAlchemyModelFactory._generate = original
        if before is None:
            del SQLAlchemyOptions.sqlalchemy_session
        else:
            SQLAlchemyOptions.sqlalchemy_session = before


def _completed_later(factory: Any) -> bool:
    """Tell whether post-generation was taken from a factory, as pytest-factoryboy does, which runs it later."""
    if factory._meta.post_declarations.sorted():
        return False
    return any(base._meta.post_declarations.sorted() for base in factory.__mro__[1:] if hasattr(base, "_meta"))
