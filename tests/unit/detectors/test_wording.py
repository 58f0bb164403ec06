"""Phrases that messages share."""

from __future__ import annotations

import pytest

from harness.detectors.wording import each, joined, listing, maker, plural, statements
from tests.support.tapes import Story


def test_numbers_agree_with_their_nouns() -> None:
    """Also where the plural is not made with an s."""
    assert ["0 writes", "1 write", "2 writes"] == [plural(number, "write") for number in range(3)]
    assert "2 queries" == plural(2, "query", "queries")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a"], "a"),
        (["a", "b", "a"], "a ×2, b"),
        (["a", "b", "c", "d", "e", "f"], "a, b, c, d and 2 more"),
    ],
)
def test_names_are_counted_and_cut_short(names: list[str], told: str) -> None:
    """In the order in which they came."""
    assert told == listing(names)


@pytest.mark.parametrize(
    ("names", "told"), [([], ""), (["a"], "a"), (["a", "b", "a"], "a and b"), ("abc", "a, b and c")]
)
def test_names_are_joined_as_they_are_read_out(names: list[str], told: str) -> None:
    """Each once."""
    assert told == joined(names)


def test_a_session_is_told_by_who_made_it() -> None:
    """A function, a method, or the file where it is global."""
    story = Story()
    sessions = [
        story.session(None, at="app/db.py:8 get_db"),
        story.session(None, at="app/uow.py:8 Unit.__enter__", asynchronous=True),
        story.session(None, at="app/db.py:3 <module>"),
    ]
    nobodys = story.session(None)
    nobodys.place = None

    assert [
        "the session from get_db",
        "the AsyncSession from __enter__",
        "the session from db.py",
        "the session",
    ] == [maker(session) for session in (*sessions, nobodys)]


def test_statements_are_told_without_their_values() -> None:
    """Neither parameters nor literals."""
    story = Story()
    db = story.session(story.request())
    sent = [
        story.sql(db, "INSERT INTO items (name) VALUES ('secret')"),
        story.sql(db, "UPDATE users SET password = 'secret' WHERE id = 5"),
    ]

    assert "INSERT INTO items, UPDATE users" == statements(sent)
    assert "secret" not in "".join(piece.text for piece in each(sent, "{} was sent"))
