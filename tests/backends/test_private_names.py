"""What harness relies on that is not public: here each name is looked at on the installed versions.

When one of these fails after an upgrade, mend `harness/observe/listen.py` or `harness/observe/private.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import base as pool_base

from harness.detectors.versions import installed
from harness.observe import private
from harness.observe.listen import REPLACED
from tests.support.names import named

_SHAPES = {
    "sqlalchemy.orm.Session.__init__": ["self", "bind"],
    "sqlalchemy.orm.Session.close": ["self"],
    "sqlalchemy.ext.asyncio.AsyncSession.__aexit__": ["self", "type_"],
    "warnings._warn_unawaited_coroutine": ["coro"],
    "starlette.applications.Starlette.__call__": ["self", "scope", "receive", "send"],
    "fastapi.routing.run_endpoint_function": [],
    "starlette.background.BackgroundTask.__call__": ["self"],
}

FASTAPI = installed().fastapi[:2]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine that leaves no open connection behind: Python 3.13 warns of one in a later test."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_replaced_has_the_shape_that_is_expected(name: str) -> None:
    """The first parameters are those that harness hands on by position."""
    function = named(name)

    names = list(inspect.signature(function).parameters)
    assert _SHAPES[name] == names[: len(_SHAPES[name])]


def test_an_endpoint_is_run_with_its_dependant() -> None:
    """By keyword: harness reads the endpoint from it."""
    parameters = inspect.signature(named("fastapi.routing.run_endpoint_function")).parameters

    assert parameters["dependant"].kind is inspect.Parameter.KEYWORD_ONLY


def test_a_connection_tells_whether_it_autocommits(engine: Engine) -> None:
    with engine.connect() as plain:
        assert not private.autocommits(plain)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
        assert private.autocommits(autocommit)
    assert hasattr(Connection, "_is_autocommit_isolation")


def test_a_connection_knows_its_pool(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        assert private.pool_of(raw) is engine.pool
    finally:
        raw.close()


def test_the_function_that_returns_lost_connections_has_its_marks() -> None:
    """One of these is set when the garbage collector calls it."""
    parameters = inspect.signature(pool_base._finalize_fairy).parameters

    assert {"is_gc_cleanup", "ref"} & set(parameters)


@pytest.mark.parametrize(
    "scope",
    [
        {"route": SimpleNamespace(path="/shop/{id}")},  # every Starlette and FastAPI to 0.137
        {
            "route": SimpleNamespace(path="/{id}"),
            "fastapi": {"effective_route_context": SimpleNamespace(path="/shop/{id}")},
        },
        {"route": SimpleNamespace(path="/shop/{id}"), "fastapi": {}},
        {"route": SimpleNamespace(path="/shop/{id}"), "fastapi": {"effective_route_context": object()}},
    ],
)
def test_a_declared_path_is_the_effective_one_or_the_routes_own(scope: dict[str, Any]) -> None:
    assert private.declared_path(scope) == "/shop/{id}"


def test_without_a_route_no_path_is_declared() -> None:
    assert private.declared_path({"type": "http"}) is None


def test_fastapi_tells_the_effective_path_where_routes_do_not_know_it() -> None:
    """Since 0.138 it is in the scope, as `private.declared_path` reads it."""
    seen: list[Any] = []
    router = APIRouter()

    @router.get("/{id}")
    def read(id: int, request: Request) -> None:
        seen.append(request.scope)

    app = FastAPI()
    app.include_router(router, prefix="/shop")
    TestClient(app).get("/shop/1")

    assert private.declared_path(seen[0]) == "/shop/{id}"
    assert (seen[0]["route"].path == "/shop/{id}") is (FASTAPI < (0, 138))


def test_without_the_private_names_nothing_breaks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is then the ordinary one."""
    monkeypatch.delattr(Connection, "_is_autocommit_isolation")
    monkeypatch.setattr(private, "_FINALIZE", frozenset())
    monkeypatch.setattr(private, "_CLOSES", frozenset())

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert not private.autocommits(connection)
    assert not private.returned_by_collection()
    assert not private.closing_core_connection()
    assert private.pool_of(object()) is None
