"""H904: rows of several transactions, in the order of a time that stood still."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.upkeep.order_by_frozen_time import detect
from tests.support.tapes import VERSIONS, Story, shown, told

READ = "SELECT notes.id, notes.text FROM notes ORDER BY notes.created DESC"


def found(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def written(*inserts: str, frozen: bool = True) -> Story:
    """Each statement in a request and transaction of its own."""
    story = Story()
    if frozen:
        story.tape.frozen = {"notes": frozenset({"created", "updated"})}
    for insert in inserts or ("INSERT INTO notes (text) VALUES (?)",) * 2:
        request = story.request("POST /notes")
        db = story.session(request)
        story.sql(db, insert)
        story.commit(db)
        story.respond(request)
        story.end(request)
    return story


def read(story: Story, sql: str = READ) -> Story:
    """A request that reads."""
    request = story.request("GET /notes", endpoint="app/api.py:30 notes")
    db = story.session(request)
    story.sql(db, sql, at="app/api.py:31 notes")
    story.respond(request)
    story.end(request)
    return story


def test_the_line_that_orders_is_told() -> None:
    """With the column, and who wrote the rows."""
    (finding,) = found(read(written()))

    assert [
        "H904 rows were read in the order of notes.created, which is the same for those of 2 transactions "
        "@ app/api.py:31 in notes"
    ] == told([finding])
    assert ["INSERT INTO notes got its created from now() @ app/api.py:18 in create_item"] * 2 == shown(finding)
    assert "GET /notes → 200" == str(finding.endpoint)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM notes ORDER BY created",
        'SELECT * FROM public.notes ORDER BY "created" ASC NULLS LAST LIMIT 10',
        "SELECT * FROM notes WHERE a = 1 ORDER BY notes.updated DESC, notes.created OFFSET 3",
        "SELECT * FROM notes\nORDER BY notes.created\nLIMIT 1 FOR UPDATE",
    ],
)
def test_every_way_to_write_it(sql: str) -> None:
    """Quoted, qualified, with a limit."""
    assert len(found(read(written(), sql))) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM notes",
        "SELECT * FROM notes ORDER BY notes.created, notes.id",
        "SELECT * FROM notes ORDER BY notes.text, notes.created",
        "SELECT * FROM notes ORDER BY date(notes.created)",
        "SELECT * FROM notes ORDER BY coalesce(notes.text, created)",
        "SELECT * FROM notes JOIN tags ON true ORDER BY tags.created",
        "SELECT * FROM tags ORDER BY created",
        "SELECT row_number() OVER (ORDER BY created) FROM notes",
        "DELETE FROM notes WHERE id IN (SELECT id FROM notes ORDER BY created)",
    ],
)
def test_another_order_is_quiet(sql: str) -> None:
    """A further column decides, or it is not this one that does."""
    assert found(read(written(), sql)) == []


@pytest.mark.parametrize(
    "inserts",
    [
        ("INSERT INTO notes (text) VALUES (?)",),
        ("INSERT INTO notes (text) VALUES (?)", "INSERT INTO notes (text, created) VALUES (?, ?)"),
        ("INSERT INTO notes (text) VALUES (?)", 'INSERT INTO notes ("text", "created") VALUES (?, ?)'),
        ("INSERT INTO notes (text) VALUES (?)", "INSERT INTO tags (text) VALUES (?)"),
        ("INSERT INTO notes (text) VALUES (?)", "UPDATE notes SET text = ?"),
    ],
)
def test_rows_that_do_not_share_the_time_are_quiet(inserts: tuple[str, ...]) -> None:
    """One transaction; a time that the application gives; another table."""
    assert found(read(written(*inserts))) == []


def test_a_time_that_goes_on_is_quiet() -> None:
    """Nothing stands still: SQLite, no isolation, or time that advances."""
    assert found(read(written(frozen=False))) == []


def test_rows_that_were_rolled_back_before_are_quiet() -> None:
    """They were not there to be read; those of a transaction that ends later were."""
    for before in (True, False):
        story = written("INSERT INTO notes (text) VALUES (?)")
        db = story.session(None)
        story.sql(db, "INSERT INTO notes (text) VALUES (?)")
        if before:
            story.rollback(db)
        read(story)
        if not before:
            story.rollback(db)
        assert len(found(story)) == (0 if before else 1)
