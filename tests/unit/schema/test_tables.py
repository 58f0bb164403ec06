"""Tables from MetaData, with what they need around them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from harness.errors import SchemaError
from harness.schema.tables import create_tables


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    """SQLite with one connection."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    yield engine
    engine.dispose()


def test_tables_of_several_metadata_are_made(engine: sa.Engine) -> None:
    """Each one's, and a second time is no error."""
    first, second = sa.MetaData(), sa.MetaData()
    sa.Table("a", first, sa.Column("id", sa.Integer))
    sa.Table("b", second, sa.Column("id", sa.Integer))

    create_tables((first, second), engine)
    create_tables((first, second), engine)

    assert {"a", "b"} == set(sa.inspect(engine).get_table_names())


def test_a_schema_is_an_attached_database_on_sqlite(engine: sa.Engine) -> None:
    """The note says so, and the table is found under its qualified name."""
    metadata = sa.MetaData(schema="shop")
    table = sa.Table("items", metadata, sa.Column("id", sa.Integer, primary_key=True))
    notes = create_tables((metadata,), engine)
    with engine.begin() as connection:
        connection.execute(table.insert().values(id=7))
        found = connection.exec_driver_sql("SELECT id FROM shop.items").scalars().all()

    assert [7] == found
    assert any("'shop'" in note and "SQLite" in note for note in notes)


def test_two_schemas_with_a_foreign_key_between_tables_of_one(engine: sa.Engine) -> None:
    """Each schema is a database of its own, with its own references."""
    metadata = sa.MetaData()
    sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="one")
    sa.Table("b", metadata, sa.Column("a_id", sa.ForeignKey("one.a.id")), schema="one")
    sa.Table("c", metadata, sa.Column("id", sa.Integer), schema="two")
    create_tables((metadata,), engine)

    assert ["a", "b"] == sorted(sa.inspect(engine).get_table_names("one"))
    assert ["c"] == sa.inspect(engine).get_table_names("two")


def test_an_enum_is_made(engine: sa.Engine) -> None:
    """Where the database has no such type, its values are checked or stored as text."""
    metadata = sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("colour", sa.Enum("red", "blue", name="colour")))
    create_tables((metadata,), engine)
    with engine.begin() as connection:
        connection.execute(table.insert().values(colour="red"))

        assert "red" == connection.scalar(sa.select(table.c.colour))


@pytest.mark.parametrize("found", [(), (sa.MetaData(),)])
def test_no_tables_is_told_with_three_remedies(engine: sa.Engine, found: tuple[sa.MetaData, ...]) -> None:
    """Import the models, name them, or say that there are none."""
    with pytest.raises(SchemaError, match="no tables were found") as caught:
        create_tables(found, engine)

    assert caught.value.remedy is not None
    assert 3 == len(caught.value.remedy.splitlines())


def test_what_the_database_refuses_is_told_with_its_words(engine: sa.Engine) -> None:
    """And with both ways out: another type, or another database."""
    from sqlalchemy.dialects.postgresql import TSVECTOR

    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("words", TSVECTOR))
    with pytest.raises(SchemaError, match="could not be created on sqlite") as caught:
        create_tables((metadata,), engine)

    assert "TSVECTOR" in str(caught.value)
    assert "with_variant" in str(caught.value)
    assert "--harness-database=postgres" in str(caught.value)


def test_the_statement_that_the_database_refuses_is_told(engine: sa.Engine) -> None:
    """By its first words; one that creates no table has no column to change."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    moods = ", ".join(f"'mood {number}'" for number in range(20))
    create = sa.text(f"CREATE TYPE mood AS ENUM ({moods})")
    sa.event.listen(metadata, "before_create", lambda target, connection, **_: connection.execute(create))
    with pytest.raises(SchemaError, match="could not be created on sqlite") as caught:
        create_tables((metadata,), engine)

    assert "the statement was: CREATE TYPE mood AS ENUM ('mood 0', 'mood 1'" in str(caught.value)
    assert "'mood 19'" not in str(caught.value)
    assert "with_variant" not in str(caught.value)
    assert "--harness-database=postgres" in str(caught.value)
