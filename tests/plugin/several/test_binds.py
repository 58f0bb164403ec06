"""Sessions that choose the engine by what they are asked for: `binds`, and a `get_bind` of the application's own."""

from __future__ import annotations

from tests.support.projects import Project
from tests.support.several import two_databases

_ONE_BASE = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    class Event(Base):
        __tablename__ = "events"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
"""
_BINDS = """
    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, sessionmaker
    from shop.models import Event, User

    engine = create_engine("sqlite:///production.db")
    events = create_engine("sqlite:///events-production.db")
    SessionLocal = sessionmaker(binds={User: engine, Event: events})
    app = FastAPI()

    def get_db():
        with SessionLocal() as session:
            yield session

    @app.post("/users/{name}", status_code=201)
    def add(name: str, db: Session = Depends(get_db)) -> None:
        db.add_all([User(name=name), Event(kind="added")])
        db.commit()

    @app.get("/users")
    def both(db: Session = Depends(get_db)) -> list[list[str]]:
        return [list(db.scalars(select(User.name))), list(db.scalars(select(Event.kind)))]
"""
_TEST = """
    import pytest
    from shop.models import Event, User
    from sqlalchemy import inspect, select

    @pytest.mark.parametrize("again", [1, 2])
    def test_it(client, db_session, harness, again):
        client.post("/users/ann")
        assert client.get("/users").json() == [["ann"], ["added"]]
        db_session.add(Event(kind="seen"))
        db_session.commit()
        assert client.get("/users").json() == [["ann"], ["added", "seen"]]
        assert harness.session("events").scalars(select(Event.kind)).all() == ["added", "seen"]
        assert inspect(harness.engine("events")).get_table_names() == ["events"]
        assert inspect(harness.engine()).get_table_names() == ["users"]
"""


def test_one_base_whose_classes_are_in_two_databases(project: Project) -> None:
    """`metadata=` may name a mapped class: its table is in that database, and in no other."""
    two_databases(project, "sync", "harness_databases = events: url=*events* metadata=shop.models:Event").write(
        shop__models=_ONE_BASE, shop__main=_BINDS, test_it=_TEST
    )
    project.run().assert_passed(2)


def test_a_session_class_that_routes_by_itself(project: Project) -> None:
    """The test's own session is of that class, so it goes where the application's would."""
    routing = _BINDS.replace(
        "    SessionLocal = sessionmaker(binds={User: engine, Event: events})",
        """
    class RoutingSession(Session):
        def get_bind(self, mapper=None, **more):
            return events if mapper is not None and mapper.class_ is Event else engine

    SessionLocal = sessionmaker(class_=RoutingSession)
    """,
    ).replace("db: Session = ", "db: RoutingSession = ")
    two_databases(project, "sync", "harness_databases = events: url=*events* metadata=shop.models:Event").write(
        shop__models=_ONE_BASE, shop__main=routing, test_it=_TEST
    )
    project.run().assert_passed(2)


def test_tables_that_no_database_claims_are_in_those_that_name_none(project: Project) -> None:
    """So that an application whose lines say nothing about tables works, too."""
    two_databases(project, "sync", "harness_databases = events: url=*events*").write(
        shop__models=_ONE_BASE,
        shop__main=_BINDS,
        test_it="""
            from shop.models import Event
            from sqlalchemy import select

            def test_it(client, harness):
                client.post("/users/ann")
                assert client.get("/users").json() == [["ann"], ["added"]]
                assert harness.session("events").scalars(select(Event.kind)).all() == ["added"]
        """,
    )
    project.run().assert_passed(1)
