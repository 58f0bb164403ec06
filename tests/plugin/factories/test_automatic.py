"""`harness.factory(Model)`: what it fills, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.support.factories import run_with, shop
from tests.support.projects import Project

_ZOO = """
    import uuid
    from sqlalchemy import (
        CheckConstraint, Computed, ForeignKey, Integer, String, text,
    )
    from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship
    from shop.models import Base

    class Keeper(Base):
        __tablename__ = "keepers"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        badge: Mapped[str] = mapped_column(String(2), unique=True)
        nickname: Mapped[str | None]
        rank: Mapped[int] = mapped_column(server_default=text("7"))
        doubled: Mapped[int] = mapped_column(Computed("rank * 2"))
        hired = mapped_column(Integer, nullable=False, default=2020)
        boss_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("keepers.id"))
        boss: Mapped["Keeper | None"] = relationship(remote_side=id)

    class Animal(Base):
        __tablename__ = "animals"
        __table_args__ = (
            CheckConstraint("sort IN ('cat', 'dog')"), CheckConstraint("age BETWEEN 1 AND 5"),
            CheckConstraint("legs >= 4"), CheckConstraint("legs < 6"),
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        sort: Mapped[str]
        age: Mapped[int]
        legs: Mapped[int]
        kind: Mapped[str] = mapped_column(String(20))
        keeper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("keepers.id"))
        keeper: Mapped[Keeper] = relationship()
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    class Bird(Animal):
        __tablename__ = "birds"
        id: Mapped[int] = mapped_column(ForeignKey("animals.id"), primary_key=True)
        wings: Mapped[int]
        __mapper_args__ = {"polymorphic_identity": "bird"}

    class Tiger(Animal):
        stripes: Mapped[int | None]
        __mapper_args__ = {"polymorphic_identity": "tiger"}

    class Feeding(Base):
        __tablename__ = "feedings"
        animal_id: Mapped[int] = mapped_column(ForeignKey("animals.id"), primary_key=True)
        keeper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("keepers.id"), primary_key=True)
        animal: Mapped[Animal] = relationship()

    class Note(MappedAsDataclass, Base):
        __tablename__ = "notes"
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        text: Mapped[str]
        keeper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("keepers.id"))
        keeper: Mapped[Keeper] = relationship()
        remark: Mapped[str | None]
        colour: Mapped[str] = mapped_column(default="green")

    class Odd(Base):
        __tablename__ = "odds"
        create: Mapped[str] = mapped_column(primary_key=True)
        build: Mapped[int]
"""


def test_it_fills_what_must_be_filled_and_nothing_else(project: Project) -> None:
    """Nullable columns, defaults of Python and of the server, computed ones and keys are left to whoever fills them."""
    run_with(
        project,
        _ZOO,
        """
keepers = harness.factory(Keeper).create_batch(40)
assert len({keeper.badge for keeper in keepers}) == 40
assert max(len(keeper.badge) for keeper in keepers) <= 2
keeper = keepers[-1]
assert (keeper.nickname, keeper.rank, keeper.doubled, keeper.hired, keeper.boss) == (None, 7, 14, 2020, None)
assert db_session.get(Keeper, keeper.id) is keeper
""",
    )


def test_it_is_a_factory_of_factory_boy(project: Project) -> None:
    """Overrides, batches, build, deeper attributes, and subclasses; asked twice, it is the same one."""
    run_with(
        project,
        _ZOO,
        """
import factory
Keepers = harness.factory(Keeper)
assert Keepers is harness.factory(Keeper)
assert issubclass(Keepers, factory.alchemy.SQLAlchemyModelFactory)
boss = Keepers(nickname="boss")
assert Keepers(boss=boss).boss_id == boss.id
assert Keepers(boss_id=boss.id).boss is boss
assert harness.factory(Animal)(keeper__nickname="joe").keeper.nickname == "joe"
assert Keepers.build() not in db_session
assert len(Keepers.build_batch(2)) == 2

class Named(Keepers):
    nickname = factory.Sequence(lambda n: f"keeper {n}")
    class Meta:
        sqlalchemy_get_or_create = ("nickname",)

assert Named().nickname.startswith("keeper")
assert Named(nickname="boss") is boss
""",
    )


def test_required_parents_are_made_unless_given(project: Project) -> None:
    """By relationship or by key, in composite keys, and where no relationship leads to them."""
    run_with(
        project,
        _ZOO,
        """
animal = harness.factory(Animal)()
assert animal.keeper.badge
assert count(Keeper) == 1
assert harness.factory(Animal)(keeper=animal.keeper).keeper is animal.keeper
assert harness.factory(Animal)(keeper_id=animal.keeper_id).keeper is animal.keeper
assert count(Keeper) == 1
feeding = harness.factory(Feeding)(animal=animal)
assert feeding.animal_id == animal.id
assert db_session.get(Keeper, feeding.keeper_id) is not animal.keeper
assert harness.factory(Feeding)(animal=animal, keeper_id=animal.keeper_id)
assert count(Keeper) == 2
""",
    )


def test_check_constraints_are_respected_as_far_as_they_are_plain(project: Project) -> None:
    """Lists of texts, and bounds of numbers."""
    run_with(
        project,
        _ZOO,
        """
animals = harness.factory(Animal).create_batch(12)
assert {animal.sort for animal in animals} == {"cat", "dog"}
assert {animal.age for animal in animals} <= {1, 2, 3, 4, 5}
assert {animal.legs for animal in animals} <= {4, 5}
""",
    )


def test_inheritance(project: Project) -> None:
    """Joined and single-table: keys and discriminators are the mapper's business."""
    run_with(
        project,
        _ZOO,
        """
bird, tiger = harness.factory(Bird)(), harness.factory(Tiger)(stripes=3)
assert (bird.kind, tiger.kind) == ("bird", "tiger")
assert bird.wings > 0
assert bird.keeper is not tiger.keeper
db_session.expire_all()
assert db_session.scalars(select(Animal).order_by(Animal.id)).all() == [bird, tiger]
""",
    )


def test_dataclasses_and_odd_names(project: Project) -> None:
    """Constructors that insist on arguments or refuse some; columns called like a factory's own methods."""
    run_with(
        project,
        _ZOO,
        """
note = harness.factory(Note)()
assert (note.remark, note.colour, note.keeper_id) == (None, "green", note.keeper.id)
odd = harness.factory(Odd)(build_=3)
assert (odd.build, odd.create != "") == (3, True)
""",
    )


def test_models_of_sqlmodel(project: Project) -> None:
    """Their defaults count as defaults, and a relationship as one."""
    shop(project).write(
        heroes="""
            import uuid
            from sqlmodel import Field, Relationship, SQLModel

            class Team(SQLModel, table=True):
                id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
                name: str = Field(max_length=5, unique=True)

            class Hero(SQLModel, table=True):
                id: int | None = Field(default=None, primary_key=True)
                name: str
                age: int = 30
                email: str = Field(max_length=100)
                nickname: str | None = None
                team_id: uuid.UUID = Field(foreign_key="team.id")
                team: Team = Relationship()
        """,
        test_it="""
            import harness
            from heroes import Hero, Team

            def test_it(db_session):
                one, two = harness.factory(Hero).create_batch(2)
                assert (one.age, one.nickname, one.id) == (30, None, 1)
                assert one.email.endswith("@example.org")
                assert one.team.name != two.team.name
                assert one.team_id == one.team.id
        """,
    )
    project.ini("harness_metadata = heroes:SQLModel").run_apart().assert_passed(1)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_in_every_kind_of_test(project: Project, kind: str) -> None:
    """Plain or awaited; at the top of a module, or by the handle."""
    shop(project, kind).write(
        test_it="""
            import harness as library
            from shop.models import Order, User

            UserFactory = library.factory(User)

            def test_sync(client, db_session):
                assert UserFactory(name="ann") in db_session
                assert client.get("/users").json() == ["ann"]

            async def test_async(async_client, async_db_session, harness):
                ann = await harness.create(harness.factory(User), name="ann")
                assert harness.factory(Order)(user=ann) in async_db_session
                assert (await async_client.get("/users")).json() == ["ann"]
        """
    )
    project.run_apart().assert_passed(2)
