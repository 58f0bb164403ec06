"""Where dependencies are looked for, and on which application they would be overridden."""

# ruff: noqa: B008 - Depends() in a default is FastAPI's idiom
from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from harness.session.locate import find_session_dependencies

SessionLocal = sessionmaker()


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


class Repository:
    def __init__(self, db: Session = Depends(get_db)) -> None:
        self.db = db


def add_route(target: Any, path: str = "/items") -> None:
    def items(db: Annotated[Session, Depends(get_db)]) -> str:
        return type(db).__name__

    target.get(path)(items)


def test_nested_dependency() -> None:
    """A session three dependencies deep is found once, with the route that leads to it."""
    app = FastAPI()

    def get_repository(repository: Annotated[Repository, Depends()]) -> Repository:
        return repository

    @app.get("/items")
    def items(repository: object = Depends(get_repository)) -> None: ...

    (found,) = find_session_dependencies(app)

    assert (get_db, ("GET /items",)) == (found.call, found.routes)


def test_routers_in_routers() -> None:
    """Routers included in routers keep their full path and are overridden on the application."""
    app, outer, inner = FastAPI(), APIRouter(prefix="/outer"), APIRouter(prefix="/inner")
    add_route(inner)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")

    (found,) = find_session_dependencies(app)

    assert (app, ("GET /api/outer/inner/items",)) == (found.app, found.routes)


def test_router_level_dependency() -> None:
    """dependencies=[...] of a router counts."""
    app, router = FastAPI(), APIRouter()

    @router.get("/items")
    def items() -> None: ...

    app.include_router(router, dependencies=[Depends(get_db)])

    (found,) = find_session_dependencies(app)

    assert get_db is found.call


def test_app_level_dependency() -> None:
    """dependencies=[...] of the application counts."""
    app = FastAPI(dependencies=[Depends(get_db)])

    @app.get("/items")
    def items() -> None: ...

    (found,) = find_session_dependencies(app)

    assert get_db is found.call


def test_mounted_app_is_overridden_on_itself() -> None:
    """The same dependency of an application and of one mounted in it is two places to override."""
    app, mounted = FastAPI(), FastAPI()
    add_route(app)
    add_route(mounted)
    app.mount("/admin", mounted)

    found = find_session_dependencies(app)

    assert [(app, ("GET /items",)), (mounted, ("GET /admin/items",))] == [(one.app, one.routes) for one in found]


def test_mount_behind_middleware_and_starlette() -> None:
    """An application is found behind middleware and inside a plain Starlette."""
    app = FastAPI()
    add_route(app)
    outer = Starlette(routes=[Mount("/v1", app=CORSMiddleware(app))])

    (found,) = find_session_dependencies(CORSMiddleware(outer))

    assert (app, ("GET /v1/items",)) == (found.app, found.routes)


def test_router_of_another_app_is_overridden_here() -> None:
    """include_router(other.router) puts the routes under this application's overrides."""
    app, other = FastAPI(), FastAPI()
    add_route(other)
    app.include_router(other.router)

    assert [app] == [one.app for one in find_session_dependencies(app)]


def test_app_without_sessions() -> None:
    """An application without sessions has none."""
    assert find_session_dependencies(FastAPI()) == ()


def test_what_is_not_an_app_has_no_sessions() -> None:
    """Something without routes has no sessions."""
    assert find_session_dependencies(object()) == ()


def test_pass_through_is_dropped() -> None:
    """A dependency that passes on an inner one's session is not reported; the inner one is."""
    app = FastAPI()

    def get_repository_session(db: Annotated[Session, Depends(get_db)]) -> Session:
        return db

    @app.get("/a")
    def a(db: Session = Depends(get_repository_session)) -> None: ...

    @app.get("/b")
    def b(db: Annotated[Session, Depends(get_db)]) -> None: ...

    (found,) = find_session_dependencies(app)

    assert (get_db, ("GET /a", "GET /b")) == (found.call, found.routes)


def test_factory_below_a_session_is_the_leaf() -> None:
    """When a session is made from an injected sessionmaker, the sessionmaker is what is overridden."""
    app = FastAPI()

    def get_maker() -> sessionmaker[Session]:
        return SessionLocal

    def get_session(make: sessionmaker[Session] = Depends(get_maker)) -> Iterator[Session]:
        with make() as db:
            yield db

    @app.get("/items")
    def items(db: Session = Depends(get_session)) -> None: ...

    (found,) = find_session_dependencies(app)

    assert get_maker is found.call


def test_two_databases_are_two_dependencies() -> None:
    """Dependencies that do not pass on each other's session are all reported."""
    app = FastAPI()

    def get_replica() -> Session:
        return SessionLocal()

    @app.get("/items")
    def items(db: Annotated[Session, Depends(get_db)], replica: Session = Depends(get_replica)) -> None: ...

    assert [get_db, get_replica] == [one.call for one in find_session_dependencies(app)]


def test_equal_bound_methods_are_one() -> None:
    """Bound methods, new objects on each access, are one dependency, as they are for FastAPI."""

    class Database:
        def session(self) -> Session:
            return SessionLocal()

    database = Database()
    app = FastAPI()

    @app.get("/a")
    def a(db: Session = Depends(database.session)) -> None: ...

    @app.get("/b")
    def b(db: Session = Depends(database.session)) -> None: ...

    (found,) = find_session_dependencies(app)

    assert found.routes == ("GET /a", "GET /b")


def get_protocol() -> Any:
    raise NotImplementedError


def test_overrides_of_the_app_are_followed() -> None:
    """An application that wires itself through dependency_overrides is searched behind them."""
    app = FastAPI()

    def get_real(db: Annotated[Session, Depends(get_db)]) -> Repository:
        return Repository(db)

    @app.get("/items")
    def items(repository: Annotated[object, Depends(get_protocol)]) -> None: ...

    app.dependency_overrides[get_protocol] = get_real

    (found,) = find_session_dependencies(app)

    assert get_db is found.call


def test_override_that_asks_for_what_it_replaces_ends() -> None:
    """An override that depends on what it overrides does not make the search endless."""
    app = FastAPI()

    def wrapping(db: Annotated[Session, Depends(get_db)]) -> Session:
        return db

    add_route(app)
    app.dependency_overrides[get_db] = wrapping

    assert [get_db] == [one.call for one in find_session_dependencies(app)]


def test_override_on_what_was_found_takes_effect() -> None:
    """Putting the found call into the found application's overrides changes what each route receives."""
    app, mounted, router = FastAPI(), FastAPI(), APIRouter()
    add_route(router)
    add_route(mounted)
    app.include_router(router, prefix="/api")
    app.mount("/admin", mounted)

    for one in find_session_dependencies(app):
        one.app.dependency_overrides[one.call] = lambda: "replaced"

    async def visit() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return [(await client.get(path)).json() for path in ("/api/items", "/admin/items")]

    assert asyncio.run(visit()) == ["str", "str"]


def test_name_can_be_looked_up() -> None:
    """A function is named by module and name."""
    app = FastAPI()
    add_route(app)

    (found,) = find_session_dependencies(app)

    assert f"{__name__}:get_db" == found.name


class Provider:
    def __call__(self) -> Session:
        return SessionLocal()

    def session(self) -> Session:
        return SessionLocal()


provider = Provider()


def test_instance_is_named_after_its_variable() -> None:
    """A callable instance, and a method of an instance, are named after the variable that holds the instance."""
    app = FastAPI()

    @app.get("/items")
    def items(a: Annotated[Session, Depends(provider)], b: Annotated[Session, Depends(provider.session)]) -> None: ...

    names = [one.name for one in find_session_dependencies(app)]

    assert [f"{__name__}:provider", f"{__name__}:provider.session"] == names


def refuses() -> Session:
    """Overridden by the application's owner."""
    raise NotImplementedError("override me")


def is_empty() -> Session: ...  # type: ignore[empty-body]


def refuses_as_generator() -> Iterator[Session]:
    raise NotImplementedError
    yield


def refuses_sometimes(request: Request) -> Session:
    if "db" not in request.scope:
        raise NotImplementedError
    return SessionLocal()


def test_placeholder_is_told() -> None:
    """A dependency whose body is empty or only refuses is a placeholder; one that does anything else is not."""
    app = FastAPI()

    @app.get("/items")
    def items(
        a: Annotated[Session, Depends(refuses)],
        b: Annotated[Session, Depends(is_empty)],
        c: Annotated[Session, Depends(refuses_as_generator)],
        d: Annotated[Session, Depends(refuses_sometimes)],
        e: Annotated[Session, Depends(get_db)],
    ) -> None: ...

    placeholders = [one.placeholder for one in find_session_dependencies(app)]

    assert placeholders == [True, True, True, False, False]
