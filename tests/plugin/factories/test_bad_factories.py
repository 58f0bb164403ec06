"""What a factory cannot do, and the message that says so."""

from __future__ import annotations

import pytest

from tests.support.factories import shop
from tests.support.projects import Project


def told(project: Project, test: str, *fragments: str, arguments: str = "db_session") -> None:
    """Assert that a test fails with a message that holds all the fragments."""
    lines = "\n".join(f"                {line}" for line in test.splitlines())
    project.write(
        test_it=f"""
            import factory, harness
            from factories import *
            from shop.models import *

            def test_it({arguments}):
{lines}
        """
    )
    result = project.run()
    assert (result.failed, result.passed) == (1, 0), result.text
    result.assert_says(*fragments)


@pytest.mark.parametrize("named", ["SessionLocal()", "async_scoped_session(SessionLocal, int)", "SessionLocal"])
def test_an_asynchronous_session(project: Project, named: str) -> None:
    """factory-boy alone would store nothing, and say nothing."""
    shop(project, "async")
    test = (
        "from shop.main import SessionLocal\nfrom sqlalchemy.ext.asyncio import async_scoped_session\n"
        f"class Named(UserFactory):\n    class Meta:\n        sqlalchemy_session = {named}\nNamed()"
    )
    told(
        project, test, "Named is given an", "whose methods would have to be awaited",
        "silently not be stored", "user = await harness.create(Named)",
    )  # fmt: skip


def test_a_sessionmaker(project: Project) -> None:
    """It belongs into another option."""
    shop(project)
    test = (
        "from shop.main import SessionLocal\n"
        "class Named(UserFactory):\n    class Meta:\n        sqlalchemy_session = SessionLocal\nNamed()"
    )
    told(
        project, test, "Named is given a sessionmaker where a session belongs", "name it as sqlalchemy_session_factory"
    )


def test_a_model_that_is_not_mapped(project: Project) -> None:
    """By a declared factory."""
    shop(project)
    test = (
        "class Plain:\n    pass\n"
        "class PlainFactory(factory.alchemy.SQLAlchemyModelFactory):\n    class Meta:\n        model = Plain\n"
        "PlainFactory()"
    )
    told(project, test, "PlainFactory makes something that SQLAlchemy cannot store", "Plain' is not mapped",
         "name a mapped class as its model")  # fmt: skip


def test_a_class_that_is_not_mapped(project: Project) -> None:
    """By an automatic factory."""
    shop(project)
    told(
        project, "harness.factory(int)", "'int' is not a mapped class", "or from SQLModel with table=True", arguments=""
    )


@pytest.mark.parametrize("made_by", ["harness.factory(Elsewhere)()", "Declared()"])
def test_a_model_of_another_database(project: Project, made_by: str) -> None:
    """Its table is not in the test database."""
    shop(project, "sync", "harness_metadata = shop.models:Base")
    project.write(
        elsewhere="""
            import factory.alchemy
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

            class Other(DeclarativeBase):
                pass

            class Elsewhere(Other):
                __tablename__ = "elsewhere"
                id: Mapped[int] = mapped_column(primary_key=True)

            class Declared(factory.alchemy.SQLAlchemyModelFactory):
                class Meta:
                    model = Elsewhere
        """
    )
    told(
        project, f"from elsewhere import Declared, Elsewhere\n{made_by}", "makes rows of elsewhere",
        "the test database has no such table", "harness_metadata = myapp.models:Base other.models:Base",
    )  # fmt: skip


def test_outside_of_a_test(project: Project) -> None:
    """While a module is collected there is no test whose session could serve."""
    shop(project).write(test_it="from factories import UserFactory\nUserFactory()\n\ndef test_it(): ...\n")
    project.run().assert_says("a factory was called outside of a test", "call it in a test or in a fixture", ".build()")


def test_an_awaited_call_without_harness(project: Project) -> None:
    """The module's function needs a run that is active."""
    shop(project).write(
        test_it="""
            import asyncio, harness
            from factories import UserFactory

            def test_it():
                asyncio.run(harness.create(UserFactory))
        """
    )
    project.ini().run_apart(plugin=False).assert_says("harness is not active", "run pytest with -p harness")


_CYCLE = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import Mapped, mapped_column, relationship
    from shop.models import Base

    class Team(Base):
        __tablename__ = "teams"
        id: Mapped[int] = mapped_column(primary_key=True)
        captain_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
        captain: Mapped["Player"] = relationship(foreign_keys=captain_id)

    class Player(Base):
        __tablename__ = "players"
        id: Mapped[int] = mapped_column(primary_key=True)
        team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
        team: Mapped[Team] = relationship(foreign_keys=team_id)

    class Fan(Base):
        __tablename__ = "fans"
        id: Mapped[int] = mapped_column(primary_key=True)
        team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
"""


@pytest.mark.parametrize("model", ["Team", "Player", "Fan"])
def test_a_required_cycle(project: Project, model: str) -> None:
    """Also of a parent's parent; the message shows the way round."""
    shop(project).write(cycle=_CYCLE)
    way = "Player → Team → Player" if model == "Player" else "Team → Player → Team"
    test = f"import cycle\nharness.factory(cycle.{model})()"
    told(project, test, "cannot be made automatically", way, "let one of the foreign keys be NULL")


def test_a_type_without_values(project: Project) -> None:
    """The message names the column, and how to supply it."""
    shop(project).write(
        conftest="import places",
        places="""
            from sqlalchemy.orm import Mapped, mapped_column
            from sqlalchemy.types import UserDefinedType
            from shop.models import Base

            class Geometry(UserDefinedType):
                def get_col_spec(self):
                    return "TEXT"

            class Place(Base):
                __tablename__ = "places"
                id: Mapped[int] = mapped_column(primary_key=True)
                area: Mapped[str] = mapped_column(Geometry())
        """,
    )
    test = "from places import Place\nassert harness.factory(Place)(area='here').id\nharness.factory(Place)()"
    told(
        project, test, "Place.area cannot be filled: no value is known for Geometry", "column places.area of type",
        "harness.factory(Place)(area=…)", "class PlaceFactory(harness.factory(Place)): area = …",
    )  # fmt: skip


def test_a_parent_that_is_not_mapped(project: Project) -> None:
    """Only a table: nothing can make its rows."""
    shop(project).write(
        visits="""
            from sqlalchemy import Column, ForeignKey, Integer, Table
            from sqlalchemy.orm import Mapped, mapped_column
            from shop.models import Base

            Table("rooms", Base.metadata, Column("id", Integer, primary_key=True))

            class Visit(Base):
                __tablename__ = "visits"
                id: Mapped[int] = mapped_column(primary_key=True)
                room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
        """
    )
    test = "from visits import Visit\nharness.factory(Visit)()"
    told(
        project, test, "Visit.room_id points at rooms, of which no class is mapped", "harness.factory(Visit)(room_id=…)"
    )


def test_a_missing_extra(project: Project) -> None:
    """It is named."""
    shop(project).write(
        test_it="""
            import sys
            import harness
            from shop.models import User

            def test_it(monkeypatch):
                monkeypatch.setitem(sys.modules, "factory", None)  # as if it were not installed
                harness.factory(User)
        """
    )
    project.run().assert_says(
        "factory-boy is not installed, and harness.factory needs it", 'pip install "pytest-fastapi-harness[factories]"'
    )
