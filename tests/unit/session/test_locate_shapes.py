"""Every shape in which applications declare the dependency that gives their session."""

# ruff: noqa: B008 - Depends() in a default is FastAPI's idiom
from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any, NewType, TypeVar

import pytest
import sqlmodel
import sqlmodel.ext.asyncio.session as sqlmodel_asyncio
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.session.evidence import Kind
from harness.session.locate import find_session_dependencies

engine = create_engine("sqlite://")
async_engine = create_async_engine("sqlite+aiosqlite://")
SessionLocal = sessionmaker(engine)
AsyncSessionLocal = async_sessionmaker(async_engine)
LegacyAsyncSession = sessionmaker(async_engine, class_=AsyncSession)  # type: ignore[call-overload]
ScopedSession = scoped_session(SessionLocal)


class TenantSession(Session):
    """A session class of the application's own."""


TenantLocal = sessionmaker(engine, class_=TenantSession)
RequestSession = NewType("RequestSession", Session)
AnySession = TypeVar("AnySession", bound=Session)


def generator() -> Generator[Session, None, None]:
    with SessionLocal() as session:
        yield session


def iterator() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def optional() -> Session | None:
    return SessionLocal()


def annotated() -> Annotated[Session, "one per request"]:
    return SessionLocal()


def new_type() -> RequestSession:
    return RequestSession(SessionLocal())


def type_variable() -> Iterator[AnySession]:
    yield SessionLocal()  # type: ignore[misc]


def named_after_maker() -> SessionLocal:  # type: ignore[valid-type]  # a frequent slip that runs
    return SessionLocal()


async def async_generator() -> AsyncGenerator[AsyncSession, None]:
    async with AsyncSessionLocal() as session:
        yield session


async def async_iterator() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as session:
        yield session


async def wrongly_plain() -> AsyncSession:  # type: ignore[misc]  # a frequent slip that runs
    async with AsyncSessionLocal() as session:
        yield session


def scoped() -> scoped_session[Session]:
    return ScopedSession


def async_scoped() -> async_scoped_session[AsyncSession]:
    raise NotImplementedError


def connection() -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened


async def async_connection() -> AsyncIterator[AsyncConnection]:
    async with async_engine.connect() as opened:
        yield opened


def maker() -> sessionmaker[Session]:
    return SessionLocal


def async_maker() -> async_sessionmaker[AsyncSession]:
    return AsyncSessionLocal


def callable_factory() -> Callable[[], Session]:
    return SessionLocal


def own_class() -> Iterator[TenantSession]:
    yield TenantLocal()


def of_sqlmodel() -> Iterator[sqlmodel.Session]:
    with sqlmodel.Session(engine) as session:
        yield session


async def async_of_sqlmodel() -> AsyncIterator[sqlmodel_asyncio.AsyncSession]:
    async with sqlmodel_asyncio.AsyncSession(async_engine) as session:
        yield session


@contextmanager
def managed() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@functools.lru_cache
def cached() -> Session:
    return SessionLocal()


class Provider:
    def __init__(self, make: Any = SessionLocal) -> None:
        self.make = make

    def __call__(self) -> Iterator[Session]:
        yield self.make()

    def method(self) -> Iterator[Session]:
        yield self.make()

    def unannotated(self):  # type: ignore[no-untyped-def]
        with self.make() as session:
            yield session

    @classmethod
    def class_method(cls) -> Iterator[Session]:
        yield SessionLocal()


provider = Provider()


def parametrised(make: Any) -> Iterator[Session]:
    yield make()


DECLARED: dict[str, tuple[Callable[..., Any], Kind, type | None]] = {
    "generator": (generator, Kind.SYNC_SESSION, Session),
    "iterator": (iterator, Kind.SYNC_SESSION, Session),
    "optional": (optional, Kind.SYNC_SESSION, Session),
    "annotated": (annotated, Kind.SYNC_SESSION, Session),
    "new_type": (new_type, Kind.SYNC_SESSION, Session),
    "type_variable": (type_variable, Kind.SYNC_SESSION, Session),
    "named_after_maker": (named_after_maker, Kind.SYNC_SESSION, Session),
    "async_generator": (async_generator, Kind.ASYNC_SESSION, AsyncSession),
    "async_iterator": (async_iterator, Kind.ASYNC_SESSION, AsyncSession),
    "wrongly_plain": (wrongly_plain, Kind.ASYNC_SESSION, AsyncSession),
    "scoped": (scoped, Kind.SYNC_SESSION, scoped_session),
    "async_scoped": (async_scoped, Kind.ASYNC_SESSION, async_scoped_session),
    "connection": (connection, Kind.SYNC_CONNECTION, Connection),
    "async_connection": (async_connection, Kind.ASYNC_CONNECTION, AsyncConnection),
    "maker": (maker, Kind.SYNC_FACTORY, Session),
    "async_maker": (async_maker, Kind.ASYNC_FACTORY, AsyncSession),
    "callable_factory": (callable_factory, Kind.SYNC_FACTORY, Session),
    "own_class": (own_class, Kind.SYNC_SESSION, TenantSession),
    "of_sqlmodel": (of_sqlmodel, Kind.SYNC_SESSION, sqlmodel.Session),
    "async_of_sqlmodel": (async_of_sqlmodel, Kind.ASYNC_SESSION, sqlmodel_asyncio.AsyncSession),
    "managed": (managed, Kind.SYNC_SESSION, Session),
    "cached": (cached, Kind.SYNC_SESSION, Session),
    "callable_instance": (provider, Kind.SYNC_SESSION, Session),
    "bound_method": (provider.method, Kind.SYNC_SESSION, Session),
    "class_method": (Provider.class_method, Kind.SYNC_SESSION, Session),
    "partial": (functools.partial(parametrised, SessionLocal), Kind.SYNC_SESSION, Session),
    "sessionmaker_itself": (SessionLocal, Kind.SYNC_SESSION, Session),
}


def direct():  # type: ignore[no-untyped-def]
    yield SessionLocal()


def assigned():  # type: ignore[no-untyped-def]
    db = None
    try:
        db = SessionLocal()
        yield db
    finally:
        if db:
            db.close()


def in_with():  # type: ignore[no-untyped-def]
    with SessionLocal() as db:
        yield db


def begun():  # type: ignore[no-untyped-def]
    with SessionLocal.begin() as db:
        yield db


def closed():  # type: ignore[no-untyped-def]
    with closing(SessionLocal()) as db:
        yield db


def returned():  # type: ignore[no-untyped-def]
    return Session(engine)


def through_helper():  # type: ignore[no-untyped-def]
    yield _make()  # type: ignore[no-untyped-call]


def _make():  # type: ignore[no-untyped-def]
    return SessionLocal()


def through_scope():  # type: ignore[no-untyped-def]
    with managed() as db:
        yield db


def delegated():  # type: ignore[no-untyped-def]
    yield from direct()  # type: ignore[no-untyped-call]


def on_request(request: Request):  # type: ignore[no-untyped-def]
    request.state.db = SessionLocal()
    yield request.state.db


def inline_maker():  # type: ignore[no-untyped-def]
    make = sessionmaker(engine, class_=TenantSession)
    with make() as db:
        yield db


def from_scoped():  # type: ignore[no-untyped-def]
    return ScopedSession()


def connected():  # type: ignore[no-untyped-def]
    with engine.begin() as opened:
        yield opened


def hands_out_maker():  # type: ignore[no-untyped-def]
    return AsyncSessionLocal


async def in_async_with():  # type: ignore[no-untyped-def]
    async with AsyncSessionLocal() as db, db.begin():
        yield db


async def passed_on():  # type: ignore[no-untyped-def]
    async for db in in_async_with():  # type: ignore[no-untyped-call]
        yield db


async def legacy_maker():  # type: ignore[no-untyped-def]
    async with LegacyAsyncSession() as db:
        yield db


def _closure(make: Any) -> Callable[..., Any]:
    def get():  # type: ignore[no-untyped-def]
        with make() as db:
            yield db

    return get


def _unannotated(make):  # type: ignore[no-untyped-def]
    with make() as db:
        yield db


READ: dict[str, tuple[Callable[..., Any], Kind, type | None]] = {
    "direct": (direct, Kind.SYNC_SESSION, Session),
    "assigned": (assigned, Kind.SYNC_SESSION, Session),
    "in_with": (in_with, Kind.SYNC_SESSION, Session),
    "begun": (begun, Kind.SYNC_SESSION, Session),
    "closed": (closed, Kind.SYNC_SESSION, Session),
    "returned": (returned, Kind.SYNC_SESSION, Session),
    "through_helper": (through_helper, Kind.SYNC_SESSION, Session),
    "through_scope": (through_scope, Kind.SYNC_SESSION, Session),
    "delegated": (delegated, Kind.SYNC_SESSION, Session),
    "on_request": (on_request, Kind.SYNC_SESSION, Session),
    "inline_maker": (inline_maker, Kind.SYNC_SESSION, TenantSession),
    "from_scoped": (from_scoped, Kind.SYNC_SESSION, Session),
    "connected": (connected, Kind.SYNC_CONNECTION, Connection),
    "hands_out_maker": (hands_out_maker, Kind.ASYNC_FACTORY, AsyncSession),
    "in_async_with": (in_async_with, Kind.ASYNC_SESSION, AsyncSession),
    "passed_on": (passed_on, Kind.ASYNC_SESSION, AsyncSession),
    "legacy_maker": (legacy_maker, Kind.ASYNC_SESSION, AsyncSession),
    "bound_method": (provider.unannotated, Kind.SYNC_SESSION, Session),
    "closure": (_closure(TenantLocal), Kind.SYNC_SESSION, TenantSession),
    "partial": (functools.partial(_unannotated, make=TenantLocal), Kind.SYNC_SESSION, TenantSession),
}


def app_with(call: Callable[..., Any]) -> FastAPI:
    """An application whose only route depends on a callable, and says nothing about it."""
    app = FastAPI()

    @app.get("/items")
    def items(db: Any = Depends(call)) -> None: ...

    return app


@pytest.mark.parametrize("shape", DECLARED)
def test_declared_return_type_is_evidence(shape: str) -> None:
    """A dependency that declares to give a session is found, with its kind and class."""
    call, kind, session_class = DECLARED[shape]
    app = app_with(call)

    (found,) = find_session_dependencies(app)

    assert (found.app, found.call, found.kind, found.session_class) == (app, call, kind, session_class)


@pytest.mark.parametrize("shape", READ)
def test_body_is_evidence_without_annotations(shape: str) -> None:
    """A dependency without annotations is found when what it gives was provably made as a session."""
    call, kind, session_class = READ[shape]
    app = app_with(call)

    (found,) = find_session_dependencies(app)

    assert (found.call, found.kind, found.session_class) == (call, kind, session_class)


def from_state(request: Request):  # type: ignore[no-untyped-def]
    return request.state.db


def test_consumer_annotation_is_evidence() -> None:
    """A dependency of which nothing is known is found by what its consumer declares to receive."""
    app = FastAPI()

    @app.get("/items")
    def items(db: Annotated[TenantSession, Depends(from_state)]) -> None: ...

    (found,) = find_session_dependencies(app)

    assert (from_state, Kind.SYNC_SESSION, TenantSession) == (found.call, found.kind, found.session_class)
    assert found.evidence[0].endswith("items receives it as db: TenantSession")


def test_lambda_is_found_by_its_consumer() -> None:
    """Even a lambda is found, as the very object that must be overridden."""
    app = FastAPI()
    get = lambda: SessionLocal()  # noqa: E731 - the shape under test

    @app.get("/items")
    def items(db: Session = Depends(get)) -> None: ...

    (found,) = find_session_dependencies(app)

    assert found.call is get


class RequestBound(Session):
    def __init__(self) -> None:
        super().__init__(engine)


def test_session_class_as_dependency() -> None:
    """A session class that stands itself in Depends() is found."""
    app = FastAPI()

    @app.get("/items")
    def items(db: RequestBound = Depends()) -> None: ...

    (found,) = find_session_dependencies(app)

    assert (RequestBound, Kind.SYNC_SESSION, RequestBound) == (found.call, found.kind, found.session_class)


def test_most_precise_class_is_told() -> None:
    """When a consumer declares a subclass of what the dependency declares, the subclass is the session's class."""

    def get() -> Session:
        return from_somewhere()

    app = FastAPI()

    @app.get("/items")
    def items(db: sqlmodel.Session = Depends(get)) -> None: ...

    (found,) = find_session_dependencies(app)

    assert sqlmodel.Session is found.session_class


def from_somewhere() -> Session:
    raise NotImplementedError


def test_body_outweighs_a_wrong_declaration() -> None:
    """When the body provably yields an AsyncSession, a declaration of Session does not make it synchronous."""

    async def get() -> AsyncIterator[Session]:
        async with AsyncSessionLocal() as db:
            yield db  # type: ignore[misc]

    (found,) = find_session_dependencies(app_with(get))

    assert Kind.ASYNC_SESSION is found.kind
    assert found.evidence == ("its body gives AsyncSession", "returns Session")


class Repository:
    def __init__(self, db: Session = Depends(from_state)) -> None: ...


def test_dependency_inside_a_class_is_found() -> None:
    """The session of a class that is itself a dependency is found, not the class."""
    (found,) = find_session_dependencies(app_with(Repository))

    assert from_state is found.call


def test_websocket_route_is_searched() -> None:
    """The dependencies of a WebSocket route count."""
    app = FastAPI()
    router = APIRouter()

    @router.websocket("/feed")
    async def feed(socket: WebSocket, db: AsyncSession = Depends(async_generator)) -> None: ...

    app.include_router(router, prefix="/live")

    (found,) = find_session_dependencies(app)

    assert found.routes == ("WS /live/feed",)
