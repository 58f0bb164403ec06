"""Factories on every driver: stored through one session, and a value for every type."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import factory
import pytest
import sqlalchemy as sa
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

import harness
from harness.factories.desk import Desk, opened
from harness.factories.factory_boy import bound
from tests.backends.conftest import Backend


class Base(DeclarativeBase):
    pass


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shelf(Base):
    __tablename__ = "factory_shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20), unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="shelf")


class Book(Base):
    __tablename__ = "factory_books"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int] = mapped_column(sa.ForeignKey("factory_shelves.id"))
    shelf: Mapped[Shelf] = relationship(back_populates="books")


class ShelfFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    class Meta:
        model = Shelf

    name = factory.Sequence(lambda n: f"shelf {n}")


class BookFactory(SQLAlchemyModelFactory):  # type: ignore[misc]  # untyped
    class Meta:
        model = Book

    shelf = factory.SubFactory(ShelfFactory)


@contextmanager
def tables(backend: Backend, metadata: sa.MetaData) -> Iterator[None]:
    """Tables that a test needs besides: made before it, as no test on MariaDB may make any."""
    backend.run(lambda: metadata.create_all(backend.engine))
    yield
    backend.run(lambda: metadata.drop_all(backend.engine))


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """The factories of a test on this driver."""

    def make(asynchronous: bool) -> Any:
        return AsyncSession(backend.async_engine) if asynchronous else Session(backend.engine)

    desk = Desk(make, captured=lambda engine: True)
    with tables(backend, Base.metadata), backend.test() as problems, bound(desk), opened(desk):
        desk.begin("the test", prefers_async=backend.asynchronous)
        yield desk
        desk.end("the test")
    assert problems == []


def shelves(backend: Backend) -> int:
    """What another session counts."""

    def count() -> int:
        with Session(backend.engine) as other:
            return other.scalar(sa.select(sa.func.count(Shelf.id))) or 0

    return backend.run(count)


def test_what_a_plain_call_makes_is_sent_to_the_database(backend: Backend, desk: Desk) -> None:
    """Also through the session inside an AsyncSession, whose engine wants to be awaited."""
    book = BookFactory()

    assert (book.id, book.shelf.id) == (1, 1)
    assert book in desk.session()
    assert shelves(backend) == 1


def test_a_plain_call_may_be_made_on_a_running_loop(backend: Backend, desk: Desk) -> None:
    """As in an asynchronous test that forgets, or does not care, to await."""

    async def test() -> list[Any]:
        return BookFactory.create_batch(2)  # type: ignore[no-any-return]  # untyped

    assert [book.shelf.id for book in asyncio.run(test())] == [1, 2]
    assert shelves(backend) == 2


def test_an_awaited_call_is_sent_too(backend: Backend, desk: Desk) -> None:
    """Through the AsyncSession; through the session that the test has, if that is a synchronous one."""
    if not backend.asynchronous:
        desk.sync_session()

    async def test() -> Any:
        return await harness.create(BookFactory, shelf__name="top")

    assert asyncio.run(test()).shelf.name == "top"
    assert shelves(backend) == 1


def test_an_automatic_factory_fills_and_stores(backend: Backend, desk: Desk) -> None:
    """Parents included."""
    books = harness.factory(Book).create_batch(3)

    assert len({book.shelf.name for book in books}) == 3
    assert shelves(backend) == 3


GENERIC: dict[str, Any] = {
    "bool": sa.Boolean(), "small": sa.SmallInteger(), "integer": sa.Integer(), "big": sa.BigInteger(),
    "numeric": sa.Numeric(5, 2), "unlimited": sa.Numeric(), "floating": sa.Numeric(4, 1, asdecimal=False),
    "fraction": sa.Numeric(2, 2), "float": sa.Float(), "double": sa.Double(), "real": sa.REAL(),
    "string": sa.String().with_variant(sa.String(99), "mysql", "mariadb"),
    "short": sa.String(3), "one": sa.String(1), "char": sa.CHAR(4), "text": sa.Text(),
    "unicode": sa.Unicode(10), "email": sa.String(100), "date": sa.Date(), "datetime": sa.DateTime(),
    "aware": sa.DateTime(timezone=True), "time": sa.Time(), "interval": sa.Interval(),
    "binary": sa.LargeBinary(), "uuid": sa.Uuid(), "uuid_text": sa.Uuid(as_uuid=False), "json": sa.JSON(),
    "pickle": sa.PickleType(), "enum": sa.Enum(Colour), "words": sa.Enum("s", "m", name="factory_size"),
    "checked": sa.Enum("x", "y", native_enum=False, create_constraint=True, name="factory_checked"),
    "variant": sa.JSON().with_variant(pg.JSONB(), "postgresql"),
}  # fmt: skip
POSTGRESQL: dict[str, Any] = {
    "uuid": pg.UUID(), "jsonb": pg.JSONB(), "json": pg.JSON(), "array": pg.ARRAY(sa.Integer),
    "deep": sa.ARRAY(sa.String(9), dimensions=2), "enums": pg.ARRAY(sa.Enum(Colour, name="factory_colour")),
    "inet": pg.INET(), "cidr": pg.CIDR(), "macaddr": pg.MACADDR(), "macaddr8": pg.MACADDR8(),
    "int4range": pg.INT4RANGE(), "int8range": pg.INT8RANGE(), "numrange": pg.NUMRANGE(), "daterange": pg.DATERANGE(),
    "tsrange": pg.TSRANGE(), "tstzrange": pg.TSTZRANGE(), "int4multirange": pg.INT4MULTIRANGE(),
    "int8multirange": pg.INT8MULTIRANGE(), "nummultirange": pg.NUMMULTIRANGE(),
    "datemultirange": pg.DATEMULTIRANGE(), "tsmultirange": pg.TSMULTIRANGE(), "tstzmultirange": pg.TSTZMULTIRANGE(),
    "interval": pg.INTERVAL(), "tsvector": pg.TSVECTOR(), "tsquery": pg.TSQUERY(), "hstore": pg.HSTORE(),
    "bytea": pg.BYTEA(), "timetz": pg.TIME(timezone=True), "double": pg.DOUBLE_PRECISION(), "citext": pg.CITEXT(),
    "enum": pg.ENUM("a", "b", name="factory_letters"),
    "domain": pg.DOMAIN("factory_positive", sa.Integer, check=sa.text("VALUE > 0")),
    "bit": pg.BIT(3), "varbit": pg.BIT(5, varying=True), "money": pg.MONEY(), "oid": pg.OID(),
    "regclass": pg.REGCLASS(), "regconfig": pg.REGCONFIG(), "jsonpath": pg.JSONPATH(),
}  # fmt: skip


def fill(backend: Backend, kinds: dict[str, Any]) -> None:
    """Have three rows made and stored, and read them back."""

    class Own(DeclarativeBase):
        pass

    columns: dict[str, Any] = {f"the_{name}": mapped_column(kind, nullable=False) for name, kind in kinds.items()}
    model: Any = type("Filled", (Own,), {
        "__tablename__": "factory_filled", "id": mapped_column(sa.Integer, primary_key=True), **columns,
    })  # fmt: skip

    def law() -> None:
        with Session(backend.engine) as session:
            made = harness.factory(model).build_batch(3)
            for one in made:
                session.add(one)
                session.flush()  # one by one, as a factory does: asyncpg cannot infer domains in VALUES of several rows
            session.expire_all()
            assert [] == [name for one in made for name in columns if getattr(one, name) is None]

    more = ("hstore", "citext") if "the_hstore" in columns else ()
    with extensions(backend, *more), tables(backend, Own.metadata), backend.test() as problems:
        backend.run(law)
    assert problems == []


@contextmanager
def extensions(backend: Backend, *names: str) -> Iterator[None]:
    """Let the server know more types meanwhile."""

    def each(do: str) -> None:
        with backend.engine.begin() as connection:
            for name in names:
                connection.execute(sa.text(f"{do} {name}"))

    if not names:
        yield
        return
    backend.run(lambda: each("CREATE EXTENSION"))
    try:
        yield
    finally:
        backend.run(lambda: each("DROP EXTENSION"))


def test_every_generic_type_has_values(backend: Backend) -> None:
    """That the database takes, and gives back."""
    fill(backend, GENERIC)


def test_every_type_of_postgresql_has_values(backend: Backend) -> None:
    """On each of its drivers."""
    if not backend.postgres:
        pytest.skip(reason="types of PostgreSQL")
    kinds = dict(POSTGRESQL)
    if backend.driver == "asyncpg" and sa.__version__.startswith("2.0."):
        del kinds["bit"], kinds["varbit"]  # SQLAlchemy 2.0 hands them on as they are, and asyncpg wants its BitString
    fill(backend, kinds)


@pytest.mark.parametrize("kind", [
    sa.Integer(), sa.Numeric(8, 2), sa.Float(), sa.String(), sa.String(2), sa.CHAR(3), sa.Date(), sa.DateTime(),
    sa.Interval(), sa.LargeBinary(), sa.Uuid(), pg.INET(), pg.CIDR(), pg.MACADDR(), pg.MACADDR8(), pg.INT4RANGE(),
    pg.TSTZRANGE(), pg.BIT(16),
], ids=repr)  # fmt: skip
def test_unique_columns_have_unique_values(kind: Any) -> None:
    """As many as one likes."""

    class Own(DeclarativeBase):
        pass

    class Unique(Own):
        __tablename__ = "factory_unique"
        id: Mapped[int] = mapped_column(primary_key=True)
        value = mapped_column(kind, unique=True, nullable=False)

    values = [str(one.value) for one in harness.factory(Unique).build_batch(300)]
    assert 300 == len(set(values))
