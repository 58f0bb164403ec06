"""SQL as `psql` and `sqlite3` take it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from harness.queries.pasting import literal, pasteable
from tests.support.queries import query


@pytest.mark.parametrize(
    ("style", "sql", "pasted"),
    [
        ("qmark", "SELECT a\n  FROM b\n WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = :p1 AND d = :p2;"),
        ("qmark", "SELECT '?  ''?', \"?\" FROM b WHERE c = ?;", "SELECT '?  ''?', \"?\" FROM b WHERE c = :p1;"),
        ("qmark", "SELECT '100%%', ':x' FROM b", "SELECT '100%%', ':x' FROM b;"),
        ("format", "SELECT a %% 2, 'x%%' FROM b WHERE c = %s", "SELECT a % 2, 'x%' FROM b WHERE c = :p1;"),
        ("pyformat", "SELECT a FROM b WHERE c = %(c_1)s::VARCHAR", "SELECT a FROM b WHERE c = :c_1::VARCHAR;"),
        ("pyformat", "SELECT a FROM b WHERE c ? 'x'", "SELECT a FROM b WHERE c ? 'x';"),
        ("numeric_dollar", "SELECT a FROM b WHERE c = $2 OR d = $1", "SELECT a FROM b WHERE c = :p2 OR d = :p1;"),
        ("named", "SELECT a::text FROM b WHERE c = :c", "SELECT a::text FROM b WHERE c = :c;"),
        ("qmark", "SELECT a -- why?\nFROM b /* ? */ WHERE c = ?", "SELECT a FROM b WHERE c = :p1;"),
    ],
)
def test_parameters_are_variables(style: str, sql: str, pasted: str) -> None:
    """On one line; literals, quoted names and operators stay, comments go."""
    assert pasted == pasteable(query(sql, style=style))


@pytest.mark.parametrize(
    ("style", "sql", "values", "pasted"),
    [
        ("qmark", "SELECT ?, ?", ("it's", None), "SELECT 'it''s', NULL;"),
        ("pyformat", "SELECT %(a)s, %(b)s", {"a": 1}, "SELECT 1, :b;"),
        ("numeric_dollar", "SELECT $2, $1", (True, 2.5), "SELECT 2.5, TRUE;"),
        ("qmark", "SELECT ?", (object(),), "SELECT :p1;"),
    ],
)
def test_parameters_that_were_kept_are_literals(style: str, sql: str, values: Any, pasted: str) -> None:
    """One of a type that has no certain literal stays a variable."""
    assert pasted == pasteable(query(sql, style=style, values=values))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "1.50"),
        (float("inf"), "'inf'"),
        (date(2024, 2, 29), "'2024-02-29'"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "'2024-02-29 12:00:00+00:00'"),
        (UUID(int=7), "'00000000-0000-0000-0000-000000000007'"),
        (b"\x00\xff", "x'00ff'"),
        ([1], None),
    ],
)
def test_literals(value: object, text: str | None) -> None:
    """As every server reads them."""
    assert text == literal(value)


def test_bytes_are_written_as_the_server_reads_them() -> None:
    """PostgreSQL's x'…' is a bit string."""
    assert "'\\x00ff'" == literal(b"\x00\xff", bytea=True)
