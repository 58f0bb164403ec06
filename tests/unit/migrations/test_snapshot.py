"""A schema in words: what an upgrade and its downgrade have not put back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import StaticPool

from harness.migrations.snapshot import leftovers, snapshot

_BEFORE = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE one (id INTEGER PRIMARY KEY, name VARCHAR(10) NOT NULL DEFAULT 'x', parent_id INTEGER)",
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A database with two tables."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    send(engine, *_BEFORE)
    yield engine
    engine.dispose()


def send(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([], []),
        (["CREATE TABLE two (id INTEGER PRIMARY KEY, x INTEGER UNIQUE)"], ["table two is still there"]),
        (["DROP TABLE one"], ["table one is gone"]),
        (["ALTER TABLE one ADD COLUMN x INTEGER"], ["column one.x is still there"]),
        (["CREATE UNIQUE INDEX by_name ON one (name)"], ["index one.by_name is still there"]),
        (["CREATE VIEW v AS SELECT 1"], ["view v is still there"]),
        (
            ["DROP TABLE one", "CREATE TABLE one (id INTEGER PRIMARY KEY, name VARCHAR(9), parent_id INTEGER)"],
            ["column one.name was VARCHAR(10) NOT NULL DEFAULT 'x' and is VARCHAR(9) NULL"],
        ),
        (
            [
                "DROP TABLE one",
                "CREATE TABLE one (id INTEGER PRIMARY KEY, name VARCHAR(10) NOT NULL DEFAULT 'x', parent_id INTEGER,"
                " CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE,"
                " CONSTRAINT uq UNIQUE (name), CONSTRAINT ck CHECK (id > 0))",
            ],
            [
                "constraint one.ck is still there",
                "constraint one.fk is still there",
                "constraint one.uq is still there",
            ],
        ),
    ],
)
def test_what_was_not_put_back_is_told(engine: Engine, statements: list[str], told: list[str]) -> None:
    """Each thing once, and nothing of what belongs to a table that is told."""
    before = snapshot(engine)
    send(engine, *statements)

    assert told == leftovers(before, snapshot(engine))
