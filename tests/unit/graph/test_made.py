"""What a function makes each time, and which sessions outlive its requests."""

# ruff: noqa: B008 - the mistakes of other people
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import pytest
import sqlmodel
from sqlalchemy import Engine, create_engine
from sqlalchemy import create_engine as make
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.graph.made import cached_session, default_sessions, engines_made, shared_sessions
from harness.graph.objects import Objects
from harness.graph.reach import Reach
from harness.graph.scope import Scope, scope_of

SessionLocal = sessionmaker(create_engine("sqlite://"))
everybodys = SessionLocal()
Scoped = scoped_session(SessionLocal)
replaced = scoped_session(SessionLocal)
kept: Any = None
engines: dict[str, Engine] = {}
URL = "sqlite://"


def scopes(call: Callable[..., Any]) -> list[Scope]:
    """A function and what it calls."""
    scope = scope_of(call)
    assert scope
    return Reach().scopes(scope)


# --- Engines --------------------------------------------------------------------------------------------------------


def each_time() -> Iterator[Session]:
    engine = create_engine(URL)
    with Session(engine) as db:
        yield db


def by_another_name() -> Iterator[Session]:
    with Session(make(URL)) as db:
        yield db


def of_sqlmodel() -> Iterator[Session]:
    with sqlmodel.Session(sqlmodel.create_engine(URL)) as db:
        yield db


def in_helper() -> Iterator[Session]:
    with Session(new_engine()) as db:
        yield db


def new_engine() -> Engine:
    return create_engine(URL)


@pytest.mark.parametrize("call", [each_time, by_another_name, of_sqlmodel, in_helper])
def test_an_engine_that_is_made_each_time_is_seen(call: Callable[..., Any]) -> None:
    """Whatever the function is called, and in a helper too."""
    (made,) = engines_made(scopes(call))

    assert "create_engine" == made.maker


def first_time_only() -> Engine:
    global kept
    if kept is None:
        kept = create_engine(URL)
    engine: Engine = kept
    return engine


def kept_globally() -> None:
    global kept
    kept = create_engine(URL)


def for_each_tenant(tenant: str) -> Engine:
    try:
        return engines[tenant]
    except KeyError:
        engine = create_engine(URL)
        engines[tenant] = engine
        return engine


def by_setdefault(tenant: str) -> Engine:
    return engines.setdefault(tenant, create_engine(URL))


@lru_cache
def cached_engine() -> Engine:
    return create_engine(URL)


def from_cache() -> Iterator[Session]:
    with Session(cached_engine()) as db:
        yield db


class Holder:
    """Keeps its engine."""

    def __init__(self) -> None:
        self.engine: Engine | None = None

    def __call__(self) -> Engine:
        self.engine = self.engine or create_engine(URL)
        return self.engine


@pytest.mark.parametrize("call", [first_time_only, kept_globally, for_each_tenant, by_setdefault, from_cache, Holder()])
def test_an_engine_that_is_kept_is_not_made_each_time(call: Callable[..., Any]) -> None:
    """In a global name, a dictionary, an attribute or a cache."""
    assert [] == list(engines_made(scopes(call)))


def of_the_request(url: str) -> None:
    engine = create_engine(url)
    engine.dispose()


def test_what_the_engine_depends_on_and_whether_it_is_disposed_of_is_told() -> None:
    """An endpoint may try out a URL that it is sent."""
    (made,) = engines_made(scopes(of_the_request))

    assert made.from_parameters
    assert made.disposed


# --- Sessions that are shared ---------------------------------------------------------------------------------------


def uses_global() -> Any:
    return everybodys.execute


def service() -> Any:
    return everybodys


def uses_global_in_service() -> Any:
    return service()


def keeps_the_first() -> Session:
    global kept
    if kept is None:
        kept = SessionLocal()
    session: Session = kept
    return session


class Repository:
    """Has a session for ever."""

    def __init__(self) -> None:
        self.session = SessionLocal()

    def __call__(self) -> Session:
        return self.session


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (uses_global, "everybodys"),
        (uses_global_in_service, "everybodys"),
        (keeps_the_first, "kept"),
        (Repository(), "self.session"),
    ],
)
def test_a_session_that_outlives_requests_is_seen(call: Callable[..., Any], name: str) -> None:
    """Global, kept by the first request, or held by an instance that all requests share."""
    (shared,) = shared_sessions(scopes(call), Objects())

    assert name == shared.name


def test_a_global_session_is_told_where_it_is_made() -> None:
    """As a test that meets it tells it, wherever it is used."""
    (shared,) = shared_sessions(scopes(uses_global), Objects())

    assert shared.made
    assert ("<module>", __file__) == (shared.made.function, shared.made.path)


def makes_its_own() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


def uses_scoped() -> Any:
    return Scoped.execute


def uses_local_of_that_name() -> Any:
    everybodys = SessionLocal()
    yield everybodys


@pytest.mark.parametrize("call", [makes_its_own, uses_scoped, uses_local_of_that_name])
def test_a_session_of_ones_own_is_not_shared(call: Callable[..., Any]) -> None:
    """Nor is a scoped one, or a local one that is called like a global one."""
    assert [] == list(shared_sessions(scopes(call), Objects()))


def uses_replaced() -> Any:
    return replaced


def test_a_session_in_the_place_of_a_scoped_one_is_not_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test has put it there."""
    monkeypatch.setitem(globals(), "replaced", SessionLocal())

    assert [] == list(shared_sessions(scopes(uses_replaced), Objects()))


# --- Defaults and caches --------------------------------------------------------------------------------------------


def with_default(
    name: str = "",
    db: Session = SessionLocal(),
    *,
    other: Session = SessionLocal(),
) -> Any:
    return name, db, other


def test_a_session_as_a_default_is_seen_on_the_line_of_its_parameter() -> None:
    """Positional or by keyword."""
    first = with_default.__code__.co_firstlineno

    assert [("db", first + 2), ("other", first + 4)] == [
        (one.parameter, one.site.line) for one in default_sessions(scopes(with_default))
    ]


@lru_cache
def cached() -> Session:
    return SessionLocal()


@cache
def new_session() -> Session:
    return SessionLocal()


def gives_cached() -> Iterator[Session]:
    db = new_session()
    yield db


@lru_cache
def cached_factory() -> sessionmaker[Session]:
    return SessionLocal


def gives_new() -> Iterator[Session]:
    with cached_factory()() as db:
        yield db


def cached_of(call: Callable[..., Any]) -> str | None:
    """The function whose cache a dependency's session comes from."""
    scope = scope_of(call)
    assert scope
    site = cached_session(call, scope)
    return site.function if site else None


def test_a_session_out_of_a_cache_is_seen() -> None:
    """The dependency's own, or that of what it calls; a cached factory or engine is as it should be."""
    assert ["cached", "new_session", None, None, None] == [
        cached_of(call) for call in (cached, gives_cached, cached_factory, gives_new, from_cache)
    ]
