"""The text of a statement with every question for the transaction's time put to harness's functions."""

from __future__ import annotations

import pytest

from harness.isolation.timewords import functions, retimed


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT now()", "SELECT harness_clock.now()"),
        ("SELECT NOW( )", "SELECT harness_clock.now()"),
        ("SELECT pg_catalog.now()", "SELECT harness_clock.now()"),
        ("SELECT transaction_timestamp()", "SELECT harness_clock.transaction_timestamp()"),
        ("VALUES (CURRENT_TIMESTAMP)", "VALUES (harness_clock.current_timestamp())"),
        ("VALUES (CURRENT_TIMESTAMP(3))", "VALUES (harness_clock.current_timestamp(3))"),
        ("SELECT CURRENT_DATE, 1", "SELECT harness_clock.current_date(), 1"),
        ("SELECT localtime, LocalTimestamp (0)", "SELECT harness_clock.localtime(), harness_clock.localtimestamp(0)"),
        ("SET a = timezone('utc', now())", "SET a = timezone('utc', harness_clock.now())"),
        ("a DEFAULT CURRENT_TIMESTAMP NOT NULL", "a DEFAULT harness_clock.current_timestamp() NOT NULL"),
        ("SELECT 'it''s', now()", "SELECT 'it''s', harness_clock.now()"),
        (r"SELECT E'it\'s', now()", r"SELECT E'it\'s', harness_clock.now()"),
        (
            "CREATE FUNCTION f() RETURNS trigger AS $x$ BEGIN NEW.a := now(); END $x$",
            "CREATE FUNCTION f() RETURNS trigger AS $x$ BEGIN NEW.a := harness_clock.now(); END $x$",
        ),
        ("DO $$ SELECT 'now()', now() $$", "DO $$ SELECT 'now()', harness_clock.now() $$"),
    ],
)
def test_a_question_for_the_time_is_put_to_harness(sql: str, expected: str) -> None:
    """Functions and keywords, with and without a precision, in statements and in code."""
    assert expected == retimed(sql)
    assert expected == retimed(expected)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'now()', \"now\" FROM t -- CURRENT_DATE",
        "SELECT /* now() */ known(), shop.now(), t.current_date",
        "SELECT created AS current_date FROM t",
        "INSERT INTO now (a) VALUES (1)",
        "SELECT now FROM t",
        "SELECT clock_timestamp(), statement_timestamp()",
        "SELECT $$ now() $$",
        r"SELECT E'\' now()'",
        "CREATE FUNCTION now() RETURNS int",
        "SELECT current_timestamps",
    ],
)
def test_everything_else_stays(sql: str) -> None:
    """Text, comments, names, titles, other functions."""
    assert sql == retimed(sql)


def test_no_function_asks_itself() -> None:
    """What the functions do is written in words that are left alone where harness sends them itself."""
    assert all("AS $harness$ SELECT (coalesce(" in text or "digits" in text for text in functions()[2:])
