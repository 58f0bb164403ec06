"""`from_model`: instances that a database accepts, and clear words where it cannot know."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from harness.errors import HarnessError, MissingExtra
from harness.strategies import from_model, rows

Email = NewType("Email", str)
st.register_type_strategy(Email, st.from_regex(r"[a-z]{1,8}@example\.org", fullmatch=True).map(Email))


class Base(DeclarativeBase):
    type_annotation_map = {Email: sa.String(60)}  # noqa: RUF012 - SQLAlchemy's way


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[Email] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(sa.String(2), unique=True)
    nickname: Mapped[str | None] = mapped_column(sa.String(5))


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    author: Mapped[User] = relationship(foreign_keys=[author_id])
    editor: Mapped[User | None] = relationship(foreign_keys=[editor_id])


class Everything(Base):
    __tablename__ = "everything"
    id: Mapped[int] = mapped_column(primary_key=True)
    small: Mapped[int] = mapped_column(sa.SmallInteger)
    big: Mapped[int] = mapped_column(sa.BigInteger)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2))
    ratio: Mapped[float]
    colour: Mapped[Colour]
    size: Mapped[str] = mapped_column(sa.Enum("s", "m", name="size"))
    flag: Mapped[bool]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    day: Mapped[Any] = mapped_column(sa.Date)
    time: Mapped[Any] = mapped_column(sa.Time)
    span: Mapped[Any] = mapped_column(sa.Interval)
    key: Mapped[UUID]
    blob: Mapped[bytes] = mapped_column(sa.LargeBinary(3))
    document: Mapped[Any] = mapped_column(sa.JSON)
    made: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    status: Mapped[Colour] = mapped_column(default=Colour.RED)


class Parent(Base):
    __tablename__ = "parents"
    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(sa.ForeignKey("children.id"))
    child: Mapped[Child] = relationship(foreign_keys=[child_id])


class Child(Base):
    __tablename__ = "children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(sa.ForeignKey("parents.id"))
    parent: Mapped[Parent] = relationship(foreign_keys=[parent_id])


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))


class Place(sa.types.UserDefinedType[str]):
    def get_col_spec(self, **kw: Any) -> str:
        return "PLACE"


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[Any] = mapped_column(Place)


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "connect", lambda link, _: link.execute("PRAGMA foreign_keys = ON"))
    for model in (User, Post, Everything):
        Base.metadata.create_all(engine, [model.__table__])  # type: ignore[list-item]  # a Table
    yield engine
    engine.dispose()


quick = settings(
    max_examples=30, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@quick
@given(thing=from_model(Everything))
def test_every_type_is_accepted(engine: sa.Engine, thing: Everything) -> None:
    """By SQLAlchemy and the database, and what is generated is left to it."""
    assert thing.made is None
    with Session(engine) as session:
        session.add(thing)
        session.flush()
        assert (thing.at.tzinfo, len(thing.blob) <= 3) == (UTC, True)
        assert abs(thing.price) <= Decimal("9999.99")
        assert -(2**15) <= thing.small < 2**15
        assert {thing.colour, thing.status} <= set(Colour)


@quick
@given(users=st.lists(from_model(User), max_size=6))
def test_what_must_be_unique_is(engine: sa.Engine, users: list[User]) -> None:
    """Within one example, as its rows are not there in the next; lengths and registered strategies are respected."""
    with Session(engine) as session:
        session.add_all(users)
        session.flush()
        assert all(len(user.code) <= 2 and user.email.endswith("@example.org") for user in users)


@quick
@given(post=from_model(Post), other=from_model(Post))
def test_a_required_reference_gets_an_instance(engine: sa.Engine, post: Post, other: Post) -> None:
    """Another one for each; an optional one is left empty."""
    assert post.author is not other.author
    assert post.editor is None
    assert "id" not in vars(post)
    with Session(engine) as session:
        session.add_all([post, other])
        session.flush()


@quick
@given(data=st.data())
def test_what_is_given_wins(data: st.DataObject) -> None:
    """For a column as for a reference, also one that may be empty."""
    author = st.shared(from_model(User), key="author")
    post = data.draw(from_model(Post, author=author, editor=author))

    assert post.author is post.editor
    assert "x" == data.draw(from_model(User, code=st.just("x"))).code


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        (dict, {}, ("'dict' is not a mapped class", "fix")),
        (User, {"nmae": st.none()}, ("User has no attribute 'nmae'", "give one of: code, email, id, nickname")),
        (Parent, {}, ("Parent needs another Parent first: Parent → Child → Parent", "from_model(…, parent=…)")),
        (Line, {}, ("Line.user_id must refer to a row of users", "from_model(Line, user_id=…)")),
        (Shop, {}, ("no values are known for Shop.place", "its type is Place()", "from_model(Shop, place=st.…)")),
    ],
)
def test_what_cannot_be_known_is_told(model: type[Any], given: dict[str, Any], words: tuple[str, ...]) -> None:
    """At once, and with what to write instead."""
    with pytest.raises(HarnessError) as caught:
        from_model(model, **given)

    assert [] == [word for word in words if word not in str(caught.value)], str(caught.value)


def test_without_hypothesis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    with pytest.raises(MissingExtra, match="hypothesis is not installed") as caught:
        from_model(User)
    assert 'pip install "pytest-fastapi-harness[hypothesis]"' in str(caught.value)


def test_rows_outside_of_a_test_of_harness_are_refused() -> None:
    """Nobody would remove them."""

    @quick
    @given(user=rows(User))
    def a_test(user: User) -> None:
        raise AssertionError

    with pytest.raises(HarnessError, match="a row of User can be drawn only in a test whose work harness undoes"):
        a_test()
