"""Sessions that factories name themselves: which are harmless, and how they are left as they were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.errors import FactoryError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


class Guest:
    """A session that is not harness's own, as it was when a factory first used it in a test.

    Args:
        session: a session, or a scoped one.
    """

    __slots__ = ("_known", "_was_open", "session")

    def __init__(self, session: Any) -> None:
        from sqlalchemy.orm import scoped_session

        self.session: Session = session() if isinstance(session, scoped_session) else session
        self._was_open = self.session.in_transaction()
        self._known = set(self.session.identity_map.keys())

    def leave(self) -> None:
        """End the transaction that the test has begun, and let go of the objects that it brought."""
        from sqlalchemy.orm.util import identity_key

        if not self._was_open and self.session.in_transaction():
            self.session.rollback()
        for made in self.session.identity_map.values():
            if identity_key(instance=made) not in self._known:
                self.session.expunge(made)


def accepted(named: Any, factory: type, captured: Callable[[Engine], bool]) -> bool:
    """Tell whether a session that a factory names can be used; one that is bound to nothing is replaced by the test's.

    Args:
        named: what `sqlalchemy_session` is, or what `sqlalchemy_session_factory` has returned.
        factory: the factory's class.
        captured: tells whether an engine is isolated.

    Raises:
        FactoryError: it is asynchronous, no session, or bound to an engine that is not isolated.
    """
    from sqlalchemy import Engine
    from sqlalchemy.exc import UnboundExecutionError
    from sqlalchemy.orm import Session, scoped_session

    _refuse_others(named, factory)
    if not isinstance(named, (Session, scoped_session)):
        return True  # something that behaves like one, such as Flask's proxy objects
    try:
        bind = named.get_bind(mapper=_mapper(factory))
    except UnboundExecutionError:
        return False
    engine = bind if isinstance(bind, Engine) else bind.engine
    if not captured(engine):
        raise FactoryError(
            f"{factory.__name__} stores its objects through a session on an engine that is not isolated",
            where=str(engine.url),
            why="they would stay in that database after the test",
            remedy="leave sqlalchemy_session out of its Meta: factories use the test's session by themselves",
        )
    return True


def _refuse_others(named: Any, factory: type) -> None:
    from sqlalchemy.orm import sessionmaker

    from harness.ext_asyncio import AsyncSession, async_scoped_session, async_sessionmaker

    if isinstance(named, (AsyncSession, async_scoped_session, async_sessionmaker)):
        raise asynchronous(factory, type(named).__name__, "sqlalchemy_session")
    if isinstance(named, sessionmaker):
        raise FactoryError(
            f"{factory.__name__} is given a sessionmaker where a session belongs",
            why="sqlalchemy_session is used as it is, not called",
            remedy=(
                "leave it out: factories use the test's session by themselves,\n"
                "or name it as sqlalchemy_session_factory instead"
            ),
        )


def asynchronous(factory: type, kind: str, option: str) -> FactoryError:
    """Return the error for a factory whose session would have to be awaited."""
    article = "an" if kind.lower().startswith("a") else "a"
    return FactoryError(
        f"{factory.__name__} is given {article} {kind}, whose methods would have to be awaited",
        why="nobody awaits them in a factory: the object would silently not be stored",
        remedy=(
            f"leave {option} out: factories use the test's session by themselves, also in async tests:\n"
            f"user = {factory.__name__}()  or  user = await harness.create({factory.__name__})"
        ),
    )


def _mapper(factory: type) -> Any:
    """Return the mapper of a factory's model; None if it has none."""
    from sqlalchemy import inspect

    meta = getattr(factory, "_meta", None)
    model = meta.get_model_class() if meta is not None else getattr(factory, "__model__", None)
    return inspect(model, raiseerr=False) if model is not None else None
