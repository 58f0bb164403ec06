"""Dependencies that the user names, and what is said when a name is wrong."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from harness.errors import DependencyError
from harness.session.evidence import Kind
from harness.session.locate import named_dependencies

SHOP = """
    from typing import Annotated
    from fastapi import Depends, FastAPI, Request
    from sqlalchemy.orm import Session, sessionmaker

    SessionLocal = sessionmaker()
    limit = 3

    def get_session() -> Session:
        return SessionLocal()

    def get_outer(db: Session = Depends(get_session)) -> Session:
        return db

    def get_state(request: Request):
        return request.state.db

    async def get_async_state(request: Request):
        return request.state.db

    def get_forgotten() -> Session:
        return SessionLocal()

    SessionDep = Annotated[Session, Depends(get_session)]

    class Database:
        def session(self) -> Session:
            return SessionLocal()

    database = Database()
    app = FastAPI()
    admin = FastAPI()
    app.mount("/admin", admin)

    @app.get("/a")
    def a(db: SessionDep, outer=Depends(get_outer)): ...

    @app.get("/b")
    def b(x=Depends(get_state), y=Depends(get_async_state), z=Depends(database.session)): ...

    @admin.get("/c")
    def c(db: SessionDep): ...
"""


@pytest.fixture
def app(project: Any) -> Any:
    """An application with dependencies of several sorts."""
    project.write(shop=SHOP)
    return importlib.import_module("shop").app


def refused(app: Any, name: str) -> str:
    with pytest.raises(DependencyError) as caught:
        named_dependencies(app, [name])
    return str(caught.value)


def test_named_wherever_it_is_used(app: Any) -> None:
    """A name stands for the dependency in the application and in each one mounted in it."""
    found = named_dependencies(app, ["shop:get_session"])

    assert {("GET /a",), ("GET /admin/c",)} == {one.routes for one in found}


def test_named_wrapper_is_respected(app: Any) -> None:
    """A pass-through dependency is what the user gets who names it."""
    (found,) = named_dependencies(app, ["shop:get_outer"])

    assert found.name == "shop:get_outer"


def test_named_alias_is_its_dependency(app: Any) -> None:
    """An Annotated alias names the dependency in it."""
    found = named_dependencies(app, ["shop:SessionDep"])

    assert {"shop:get_session"} == {one.name for one in found}


def test_named_method_of_an_instance(app: Any) -> None:
    """A dotted name reaches a bound method."""
    (found,) = named_dependencies(app, ["shop:database.session"])

    assert found.name == "shop:database.session"


@pytest.mark.parametrize(
    ("name", "kind"), [("shop:get_state", Kind.SYNC_SESSION), ("shop:get_async_state", Kind.ASYNC_SESSION)]
)
def test_named_without_evidence_is_taken_by_its_def(app: Any, name: str, kind: Kind) -> None:
    """A dependency of which nothing is known is a session because the user says so, async if its def is."""
    (found,) = named_dependencies(app, [name])

    assert kind is found.kind
    assert "named in harness_get_db" in found.evidence[0]


def test_names_keep_their_order(app: Any) -> None:
    """Dependencies come in the order in which they are named."""
    found = named_dependencies(app, ["shop:get_state", "shop:get_outer"])

    assert [one.name for one in found] == ["shop:get_state", "shop:get_outer"]


def test_malformed_name_is_refused(app: Any) -> None:
    """A name without a colon is refused with the name it was probably meant to be."""
    message = refused(app, "shop.get_session")

    assert "'shop.get_session' is not a reference" in message
    assert "'shop:get_session'" in message


def test_missing_attribute_is_refused_with_near_names(app: Any) -> None:
    """A misspelt function is refused with the names that are near."""
    message = refused(app, "shop:get_sesion")

    assert "module 'shop' has no attribute 'get_sesion'" in message
    assert "did you mean 'get_session'" in message


def test_missing_module_is_refused_with_its_cause(app: Any) -> None:
    """A module that does not exist is refused; the ImportError is the cause."""
    with pytest.raises(DependencyError, match="module 'shpo' cannot be found") as caught:
        named_dependencies(app, ["shpo:get_session"])

    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert "harness_get_db = 'shpo:get_session'" in str(caught.value)


def test_what_cannot_be_called_is_refused(app: Any) -> None:
    """A name that leads to a value is refused with the value's type."""
    assert "'shop:limit' is not a dependency; it is of type builtins.int" in refused(app, "shop:limit")


def test_unused_dependency_is_refused_with_the_candidates(app: Any) -> None:
    """A function that no route depends on is refused; those that would do are listed with evidence and route."""
    message = refused(app, "shop:get_forgotten")

    assert "'shop:get_forgotten' is not used by any route of the application" in message
    assert "shop:get_session  (its body gives Session; used by GET /a)" in message


def test_unused_dependency_of_an_app_without_sessions(project: Any) -> None:
    """Where there is no candidate, the message says so."""
    project.write(bare="from fastapi import FastAPI\napp = FastAPI()\ndef get_db(): ...")
    app = importlib.import_module("bare").app

    assert "no dependency of the application gives a session" in refused(app, "bare:get_db")
