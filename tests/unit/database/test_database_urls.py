"""Reading and showing URLs."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from harness.database.urls import parse, scrubbed, shown, without_driver
from harness.errors import ConfigError


def test_the_scheme_of_hosting_providers_is_understood() -> None:
    """`postgres://` is what they hand out, and SQLAlchemy refuses it."""
    assert parse("postgres://u@h/app_test").drivername == "postgresql"
    assert parse("postgres+asyncpg://u@h/app_test").drivername == "postgresql+asyncpg"


def test_an_unreadable_url_is_not_repeated() -> None:
    """What cannot be read may hold a password in any place."""
    with pytest.raises(ConfigError) as refused:
        parse("postgresql://u:hush@h:port/app_test")

    assert "hush" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_shown_url_keeps_all_but_the_secrets() -> None:
    """Secrets may also be query arguments, which SQLAlchemy shows."""
    url = make_url("postgresql://u:hush@h/d?sslmode=require&sslpassword=hush")

    assert shown(url) == "postgresql://u:***@h/d?sslmode=require&sslpassword=***"


def test_a_url_loses_its_driver_only() -> None:
    """Everything else is the user's decision."""
    url = make_url("postgresql+asyncpg://u:hush@h/d?x=1")

    assert without_driver(url) == make_url("postgresql://u:hush@h/d?x=1")


def test_a_password_is_taken_out_of_a_message() -> None:
    """In the forms that drivers print connection settings in."""
    url = make_url("postgresql://u:hush@h/d")
    text = "dsn postgresql://u:hush@h/d, password='hush' PASSWORD=hush, hush"

    assert scrubbed(text, url) == "dsn postgresql://u:***@h/d, password='***' PASSWORD=***, hush"


def test_a_message_stays_readable_if_the_password_is_an_ordinary_word() -> None:
    """`test:test@…` is the most usual login of a test database."""
    said = 'database "app_test" does not exist'

    assert scrubbed(said, make_url("postgresql://test:test@h/app_test")) == said
