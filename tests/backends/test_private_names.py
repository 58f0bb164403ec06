"""What harness relies on that is not public: here each name is looked at on the installed versions.

When one of these fails after an upgrade, mend `harness/observe/listen.py` or `harness/observe/private.py`.
"""

from __future__ import annotations

import inspect
import sqlite3
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import ForeignKey, create_engine, event, select, text, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import base as pool_base

from harness.callsite import current_place_and_mark, mark
from harness.detectors.versions import installed
from harness.observe import private
from harness.observe.connections import TO_EXECUTE
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


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "private_names_things"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("private_names_things.id"))
    children: Mapped[list[Thing]] = relationship()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session with one thing, of which nothing is loaded."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Thing(id=1))
        session.commit()
        yield session


@pytest.fixture
def seen(engine: Engine) -> list[Any]:
    """What leads to each statement, as the function of the same place in harness's connection would see it."""
    found: list[Any] = []

    def look(*_: Any) -> None:
        mark(private.LOADERS.values(), private.EXECUTES.values())
        loader = current_place_and_mark(1, 0, private.EXECUTE)[1]
        state, prop = private.loaded_by(loader) if loader is not None else (None, None)
        found.append((state and state.class_, prop and prop.key, private.given_to_session()))

    event.listen(engine, "before_cursor_execute", look)
    return found


def test_a_loader_tells_what_it_loads(session: Session, seen: list[Any]) -> None:
    """The functions that load what is touched are found, and so are the object and the relationship in them."""
    thing = session.scalars(select(Thing)).one()
    list(thing.children)
    session.expire(thing)
    thing.id  # noqa: B018 - loads it
    session.refresh(thing)
    session.expunge_all()
    session.get(Thing, 1)

    told = [(kind, key) for kind, key, _ in seen]
    assert [(None, None), (Thing, "children"), (Thing, None), (Thing, None), (None, None)] == told


def test_what_a_session_was_asked_to_execute_is_told_from_what_it_flushes(session: Session, seen: list[Any]) -> None:
    """By the names of public parameters."""
    thing = session.scalars(select(Thing)).one()
    thing.parent_id = 1
    session.flush()
    asked = update(Thing).values(parent_id=None)
    session.execute(asked, execution_options={"synchronize_session": False})

    _, flushed, executed = [given for _, _, given in seen]
    assert flushed is None
    assert executed is not None
    assert (executed[0], executed[1]["synchronize_session"]) == (asked, False)


def test_a_statement_is_executed_as_far_from_the_driver_as_is_expected(engine: Engine) -> None:
    """If not, each statement's line is found a little later."""
    frames: list[Any] = []

    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            frames.append(sys._getframe(1 + TO_EXECUTE).f_code)
            return super().execute(*given)

    with engine.connect() as connection:
        raw: Any = connection.connection
        raw.cursor = lambda: raw.dbapi_connection.cursor(Cursor)
        connection.execute(text("SELECT 1"))

    assert [private.EXECUTE] == frames


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
    for name in ("_FINALIZE", "_CLOSES", "EXECUTES", "_FLUSHES"):
        monkeypatch.setattr(private, name, {})

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert private.given_to_session() is None
    assert not private.returned_by_collection()
    assert not private.closing_core_connection()
    assert private.pool_of(object()) is None


def test_an_example_of_hypothesis_is_surrounded_by_a_context() -> None:
    """Which is entered before arguments are drawn; `harness/examples/boundary.py` replaces its two methods."""
    from hypothesis.control import BuildContext, currently_in_test_context
    from hypothesis.errors import UnsatisfiedAssumption

    assert ["self", "exc_type", "exc_value", "tb"] == list(inspect.signature(BuildContext.__exit__).parameters)
    assert ["self"] == list(inspect.signature(BuildContext.__enter__).parameters)
    assert issubclass(UnsatisfiedAssumption, Exception)
    assert not currently_in_test_context()


def test_a_property_keeps_its_settings_where_they_can_be_eased() -> None:
    """`harness/examples/easing.py` reads and sets them, and gives them back."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from harness.examples.easing import eased

    @given(st.none())
    def a_test(value: None) -> None: ...

    before = vars(a_test)["_hypothesis_internal_use_settings"]
    with eased(a_test, fixtures_are_reset=True):
        now: settings = vars(a_test)["_hypothesis_internal_use_settings"]
        assert HealthCheck.function_scoped_fixture in now.suppress_health_check
        assert now.deadline is None
    assert vars(a_test)["_hypothesis_internal_use_settings"] is before
    assert hasattr(a_test, "hypothesis")
    assert hasattr(a_test, "is_hypothesis_test")
