"""Which statements are the same."""

from __future__ import annotations

import pytest

from harness.queries.shapes import groups, key_of
from tests.support.queries import query

_SAME = {
    "placeholders of every driver": (
        "SELECT users.id FROM users WHERE users.id = ?",
        "SELECT users.id FROM users WHERE users.id = %s",
        "SELECT users.id FROM users WHERE users.id = %(id_1)s",
        "SELECT users.id FROM users WHERE users.id = %(id_1)s::INTEGER",
        "SELECT users.id FROM users WHERE users.id = $1::INTEGER",
        "SELECT users.id FROM users WHERE users.id = :id_1",
        "SELECT users.id\nFROM users\nWHERE users.id = 7",
    ),
    "casts": (
        "UPDATE t SET a=?, b=? WHERE c = ?",
        "UPDATE t SET a=$1::NUMERIC(10, 2), b=$2::TIMESTAMP WITHOUT TIME ZONE WHERE c = $3::VARCHAR[]",
        "UPDATE t SET a=%(a)s::NUMERIC, b=%(b)s::DOUBLE PRECISION WHERE c = %(c)s::VARCHAR(20)",
    ),
    "lists of any length": (
        "SELECT users.id FROM users WHERE users.id IN (?)",
        "SELECT users.id FROM users WHERE users.id IN (?, ?, ?)",
        "SELECT users.id FROM users WHERE users.id IN ($1::INTEGER, $2::INTEGER)",
    ),
    "rows and what they return": (
        "INSERT INTO users (name, age) VALUES (?, ?)",
        "INSERT INTO users (name, age) VALUES (?, ?), (?, ?) RETURNING id",
        "INSERT INTO users (name, age) VALUES (%(name__0)s, %(age__0)s) RETURNING users.id",
    ),
    "comments": ("SELECT 1 FROM users", "/* trace 7 */ SELECT 2 FROM users -- here"),
}


@pytest.mark.parametrize("name", _SAME)
def test_one_statement_has_one_key(name: str) -> None:
    """Whichever driver sends it, and whatever its parameters are."""
    keys = {key_of(sql) for sql in _SAME[name]}

    assert 1 == len(keys), keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM users", "SELECT b FROM users"),
        ("SELECT a FROM users WHERE b = ?", "SELECT a FROM users WHERE c = ?"),
        ("SELECT a FROM t WHERE b = $1::VARCHAR AND c = $2", "SELECT a FROM t WHERE b = $1::VARCHAR OR c = $2"),
        ("INSERT INTO users (name) VALUES (?)", "INSERT INTO orders (name) VALUES (?)"),
    ],
)
def test_different_statements_have_different_keys(one: str, other: str) -> None:
    """Though they may be called the same."""
    assert key_of(one) != key_of(other)


def test_a_key_can_be_read() -> None:
    """It begins with what the statement does to which table."""
    assert key_of("SELECT users.id FROM users").startswith("SELECT FROM users #")
    assert key_of('DELETE FROM "odd table" WHERE id = 1').startswith("DELETE FROM odd table #")


def test_groups_are_by_shape_and_purpose_the_largest_first() -> None:
    """A lazy load and a query of the same text are two groups."""
    lazy = [query("SELECT a FROM b WHERE c = ?", load="lazy load of C.bs") for _ in range(3)]
    found = groups([query("SELECT a FROM b WHERE c = ?"), *lazy, query("SELECT 1"), query("SELECT 2")])

    assert [("lazy load of C.bs", 3), ("", 2), ("", 1)] == [(group.load, len(group.queries)) for group in found]
