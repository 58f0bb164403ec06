"""What looks like a session dependency by its name, and is none."""

# ruff: noqa: B008 - Depends() in a default is FastAPI's idiom
from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Query, Session, SessionTransaction, sessionmaker

from harness.session.locate import find_session_dependencies

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)


class BuildSession:
    """A build that somebody is logged in to."""


class UserDatabase:
    def __init__(self, session: Any = None) -> None:
        self.session = session


def get_user_db() -> Iterator[UserDatabase]:
    with SessionLocal() as session:
        yield UserDatabase(session)


def get_session_token(request: Request) -> str:
    return request.cookies["session"]


def get_login_session(request: Request) -> dict[str, Any]:
    return request.session


def get_session(request: Request):  # type: ignore[no-untyped-def]
    return request.session


def get_build_session() -> BuildSession:
    return BuildSession()


def get_db():  # type: ignore[no-untyped-def]
    return {"connected": True}


def get_engine() -> Engine:
    return engine


def current_user():  # type: ignore[no-untyped-def]
    with SessionLocal() as db:
        yield db.get(UserDatabase, 1)


def current_name():  # type: ignore[no-untyped-def]
    db = SessionLocal()
    return db.execute(None).scalar()  # type: ignore[call-overload]


def transaction():  # type: ignore[no-untyped-def]
    with SessionLocal() as db, db.begin() as started:
        yield started


def declared_transaction() -> Iterator[SessionTransaction]:
    with SessionLocal() as db:
        yield db.begin()


def sometimes():  # type: ignore[no-untyped-def]
    db = SessionLocal()
    if db.is_active:
        return db
    return "no database"


def a_pair():  # type: ignore[no-untyped-def]
    db, user = SessionLocal(), "me"
    yield db, user


def unpacked():  # type: ignore[no-untyped-def]
    SessionLocal, _ = ("shadows the global", 1)
    return SessionLocal


def query() -> Query[Any]:
    return SessionLocal().query()


def opener() -> Callable[[str], Session]:
    return lambda tenant: SessionLocal()


def awaited_opener() -> Callable[[], Awaitable[Session]]:
    raise NotImplementedError


def either() -> Session | UserDatabase:
    return UserDatabase()


def side_effect(db: Session = Depends(get_engine)) -> None: ...


async def events() -> AsyncIterator[bytes]:
    with SessionLocal() as db:
        yield str(db).encode()


def broken() -> "Sesion":  # type: ignore[name-defined]  # noqa: F821, UP037
    return None


class Untouchable:
    """Stands for proxies that raise outside of a request."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"{name} outside of a request")


proxy = Untouchable()


def behind_proxy():  # type: ignore[no-untyped-def]
    with proxy() as db:  # type: ignore[operator]
        yield db


def behind_proxys_attribute():  # type: ignore[no-untyped-def]
    yield proxy.session()


FRIENDS: list[Callable[..., Any]] = [
    get_user_db,
    get_session_token,
    get_login_session,
    get_session,
    get_build_session,
    get_db,
    get_engine,
    current_user,
    current_name,
    transaction,
    declared_transaction,
    sometimes,
    a_pair,
    unpacked,
    query,
    opener,
    awaited_opener,
    either,
    side_effect,
    events,
    broken,
    behind_proxy,
    behind_proxys_attribute,
    BuildSession,
    print,
]


@pytest.mark.parametrize("friend", FRIENDS, ids=lambda friend: friend.__name__)
def test_false_friend_is_not_found(friend: Callable[..., Any]) -> None:
    """Names decide nothing: what does not give a session is not found, whatever it is called or uses."""
    app = FastAPI()

    @app.get("/items")
    def items(db: Annotated[Any, Depends(friend)]) -> None: ...

    assert find_session_dependencies(app) == ()


def test_consumer_cannot_make_a_session_of_something_else() -> None:
    """A dependency that declares to return something else is none, even where a consumer says Session."""
    app = FastAPI()

    @app.get("/items")
    def items(db: Annotated[Session, Depends(get_build_session)]) -> None: ...

    assert find_session_dependencies(app) == ()


def test_a_class_called_session_is_none() -> None:
    """A class that is merely called Session is not SQLAlchemy's."""
    other = type("Session", (), {})
    app = FastAPI()

    def get() -> Any:
        return other()

    get.__annotations__["return"] = other

    @app.get("/items")
    def items(db: Annotated[Any, Depends(get)]) -> None: ...

    assert find_session_dependencies(app) == ()
