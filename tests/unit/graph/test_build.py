"""The production dependency tree, whatever shape the application has and whatever tests replace in it."""

# ruff: noqa: B008 - Depends() in a default is FastAPI's idiom
from __future__ import annotations

import functools
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from harness.detectors.versions import installed
from harness.graph.build import build
from harness.graph.facts import AppGraph, Dependency, Endpoint, Sort

SessionLocal = sessionmaker(create_engine("sqlite://"))
AsyncSessionLocal = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
        db.commit()


def get_unannotated_db():  # type: ignore[no-untyped-def]
    db = SessionLocal()
    yield db


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as db:
        yield db


def get_user(db: Session = Depends(get_db)) -> str:
    return str(db)


class Service:
    """A dependency that is a class."""

    def __init__(self, db: Annotated[Session, Depends(get_db)]) -> None:
        self.db = db


class Provider:
    """A dependency that is an instance."""

    def __call__(self) -> Iterator[Session]:
        with SessionLocal() as db:
            yield db
            db.commit()


provider = Provider()
Db = Annotated[Session, Depends(get_db)]


def named(graph: AppGraph, name: str) -> Dependency:
    """The dependency of that name in this module."""
    return next(one for one in graph.dependencies if one.name.removeprefix(f"{__name__}.") == name)


def endpoint(graph: AppGraph, name: str) -> Endpoint:
    """The endpoint of that name."""
    return next(one for one in graph.endpoints if one.function.short.endswith(name))


def routes(dependency: Dependency) -> list[str]:
    """The routes that a dependency serves."""
    return [str(route) for route in dependency.routes]


def test_a_dependency_is_described_with_what_it_gives_and_serves() -> None:
    """Its place, what it gives, who asks for it, and how."""
    app = FastAPI()

    @app.post("/items")
    def create(db: Db) -> None:
        """Create an item."""

    @app.get("/items")
    async def read(db: Session = Depends(get_db)) -> None:
        """Read items."""

    dependency = named(build(app), "get_db")

    assert Sort.SESSION is dependency.gives
    assert ["POST /items", "GET /items"] == routes(dependency)
    assert [True, False] == [route.threaded for route in dependency.routes]
    assert [True, False] == [route.writes for route in dependency.routes]
    assert ["db", "db"] == [use.parameter for use in dependency.uses]
    assert [Sort.SESSION, Sort.SESSION] == [use.declared for use in dependency.uses]
    assert dependency.site
    assert ("get_db", get_db.__code__.co_firstlineno) == (dependency.site.function, dependency.site.line)


def test_a_replaced_dependency_is_described_as_it_is_in_production() -> None:
    """What replaces it is not described; that it is replaced is."""
    app = FastAPI()

    @app.post("/items")
    def create(db: Db) -> None:
        """Create an item."""

    app.dependency_overrides[get_db] = get_unannotated_db
    graph = build(app, overridden=["shop.db.get_other"])

    assert [f"{__name__}.get_db"] == [one.name for one in graph.dependencies]
    assert frozenset({f"{__name__}.get_db", "shop.db.get_other"}) == graph.overridden


def test_nested_class_and_instance_dependencies_are_found() -> None:
    """And the routes reach them through the others."""
    app = FastAPI()

    @app.post("/items")
    def create(user: str = Depends(get_user), service: Service = Depends(), db: Session = Depends(provider)) -> None:
        """Create an item."""

    graph = build(app)

    assert ["get_user", "get_db", "Service", "provider"] == [
        one.name.removeprefix(f"{__name__}.") for one in graph.dependencies
    ]
    assert ["POST /items"] == routes(named(graph, "get_db"))
    function = named(graph, "provider").function
    assert function
    assert 1 == len(function.commits)


def test_mounted_applications_included_routers_and_middleware_are_looked_through() -> None:
    """With the path that a client sees."""
    inner, outer, router = FastAPI(), FastAPI(), APIRouter(dependencies=[Depends(get_db)])

    @inner.get("/x")
    def of_inner(db: Db) -> None:
        """Mounted."""

    @router.put("/y")
    def of_router() -> None:
        """Included."""

    outer.include_router(router, prefix="/api")
    outer.mount("/inner", inner)
    graph = build(CORSMiddleware(outer))

    assert ["PUT /api/y", "GET /inner/x"] == routes(named(graph, "get_db"))


def test_a_websocket_is_a_route_that_does_not_write() -> None:
    """It has no response that could come too early."""
    app = FastAPI()

    @app.websocket("/ws")
    async def chat(socket: WebSocket, db: Db) -> None:
        """Chat."""

    (route,) = named(build(app), "get_db").routes

    assert (("WS",), False) == (route.methods, route.writes)


@pytest.mark.skipif(not installed().has_scope, reason="Depends(scope=...) is new in FastAPI 0.121")
def test_the_scope_of_a_dependency_is_told() -> None:
    """As it stands in Depends."""
    app = FastAPI()

    @app.post("/items")
    def create(db: Session = Depends(get_db, scope="function")) -> None:  # type: ignore[call-arg, unused-ignore]
        """Create an item."""

    assert ["function"] == [use.scope for use in named(build(app), "get_db").uses]


def test_a_parameter_knows_what_its_dependency_gives_rather_than_what_is_declared() -> None:
    """Here it says Session, and an AsyncSession comes: nothing blocks, and nothing is awaited either."""
    app = FastAPI()

    @app.post("/items")
    async def create(db: Session = Depends(get_async_db)) -> None:
        db.commit()

    (call,) = endpoint(build(app), "create").function.calls

    assert (Sort.ASYNC_SESSION, "db", "commit", True) == (call.sort, call.session, call.method, call.dropped)


def test_an_unannotated_dependency_is_known_by_its_body() -> None:
    """The parameter need not say anything either."""
    app = FastAPI()

    @app.get("/items")
    async def read(db: Any = Depends(get_unannotated_db)) -> None:
        db.execute("SELECT 1")

    graph = build(app)

    assert Sort.SESSION is named(graph, "get_unannotated_db").gives
    assert ["execute"] == [call.method for call in endpoint(graph, "read").function.calls]


class Hostile:
    """Raises whatever it is asked, but for what FastAPI itself asks."""

    def __getattr__(self, name: str) -> Any:
        raise (RuntimeError if name in ("dependency", "routes", "session", "class_") else AttributeError)(name)

    def __call__(self) -> int:
        return 1


def test_what_cannot_be_read_is_left_out() -> None:
    """Partials, lambdas, C functions, generated functions and objects that raise do no harm to the others."""
    generated: dict[str, Any] = {}
    exec("def generated():\n    yield 1", generated)
    app = FastAPI()

    @app.post("/items")
    def create(
        db: Db,
        a: Any = Depends(functools.partial(get_user, SessionLocal())),
        b: Any = Depends(lambda: SessionLocal()),
        c: Any = Depends(generated["generated"]),
        d: Any = Depends(Hostile()),
        e: Any = Depends(functools.partial(operator.add, 1, 2)),
    ) -> None:
        """Create an item."""

    graph = build(app)

    assert Sort.SESSION is named(graph, "get_db").gives
    assert ["POST /items"] == routes(named(graph, "get_db"))


@pytest.mark.parametrize("make", [int, object, Hostile, type("Odd", (), {"routes": 1}), lambda: None])
def test_what_is_no_application_has_no_dependencies(make: Callable[[], object]) -> None:
    """And does not fail the run."""
    app = make()
    assert ((), ()) == (build(app).dependencies, build(app).endpoints)


def test_a_global_route_of_another_framework_is_passed_over() -> None:
    """Starlette's own routes have no dependencies."""
    app = FastAPI()
    app.add_route("/plain", lambda request: Response())

    assert () == build(app).dependencies
