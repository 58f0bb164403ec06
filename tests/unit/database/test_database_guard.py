"""Which databases may tests write to?"""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from harness.database.guard import check_is_test_database, is_test_name
from harness.errors import UnsafeDatabase


@pytest.mark.parametrize(
    "name",
    ["test", "app_test", "test_app", "testdb", "apptest", "appTest2", "APP_TEST", "TestDB", "TESTDb", "my-tests.db",
     "harness_test_0a1b", "test_gw0", "unittest", "testing", "app.test", "pytest_42"],
)  # fmt: skip
def test_a_name_with_the_word_test_is_a_test_name(name: str) -> None:
    """The word counts alone, joined to a word that databases are named with, and in every case."""
    assert is_test_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "app", "latest", "LATEST", "contest", "contests_2024", "attestation", "protest", "greatest_hits",
     "testimonials", "testament", "backtest", "attest", "fastest", "prod", "tes_t"],
)  # fmt: skip
def test_a_word_that_merely_contains_test_does_not_count(name: str) -> None:
    """English is full of them, and such a database holds somebody's data."""
    assert not is_test_name(name)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:/x?vfs=memdb&uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:////srv/data/app_test.db",
        "sqlite:///file:/srv/app_test.db?uri=true",
        "postgresql+asyncpg://u:p@host/app_test",
    ],
)
def test_a_test_database_is_let_through(url: str) -> None:
    """Memory is always fine; else the database's or the file's name decides."""
    check_is_test_database(make_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://test:test@test.example/app",
        "postgresql://u@host/app?application_name=test",
        "sqlite:////tests/app.db",
        "postgresql://host/latest",
        "postgresql://host",
    ],
)
def test_only_the_database_name_counts(url: str) -> None:
    """A user, host, directory or option named test says nothing about the data."""
    with pytest.raises(UnsafeDatabase):
        check_is_test_database(make_url(url))


@pytest.mark.parametrize(
    "pattern",
    [
        "postgresql://app@host/shop",
        "postgresql+psycopg://app@host/shop",
        "postgresql://app:[*][*][*]@host/shop",
        "postgresql*://*@host/*",
    ],
)
def test_a_pattern_allows_what_its_name_does_not(pattern: str) -> None:
    """The pattern is for the whole URL without the password, with or without the driver."""
    check_is_test_database(make_url("postgresql+psycopg://app:hush@host/shop"), pattern)


@pytest.mark.parametrize("pattern", ["", "*hush*", "shop", "postgresql://app@elsewhere/*"])
def test_a_pattern_for_something_else_allows_nothing(pattern: str) -> None:
    """In particular, the password cannot be matched."""
    with pytest.raises(UnsafeDatabase):
        check_is_test_database(make_url("postgresql+psycopg://app:hush@host/shop"), pattern)


def test_the_refusal_is_a_manual_without_a_secret() -> None:
    """It shows the URL, says what is missing and names the option, but no password, wherever the URL has one."""
    with pytest.raises(UnsafeDatabase) as refused:
        check_is_test_database(make_url("postgresql+asyncpg://app:hush@host:5433/shop?password=hush2"))

    assert str(refused.value) == (
        "the database 'shop' does not look like a test database\n"
        "  where postgresql+asyncpg://app:***@host:5433/shop?password=***\n"
        "  why   tests write and delete there, and its name does not say that this is fine "
        "(the word 'test' is not in it)\n"
        "  fix   use one whose name contains the word test, like app_test\n"
        "        or allow this one: harness_allow_database = postgresql://app@host:5433/shop"
    )


def test_the_pattern_that_the_refusal_suggests_works() -> None:
    """Copied as it stands, it allows the database that was refused."""
    url = make_url("postgresql+asyncpg://app:hush@[::1]:5433/shop?password=hush2&x=1")
    with pytest.raises(UnsafeDatabase) as refused:
        check_is_test_database(url)

    check_is_test_database(url, str(refused.value.remedy).partition("harness_allow_database = ")[2])
