"""Settings and pools; no test here needs a database."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from sample_app.database import pool_options
from sample_app.settings import Settings


def test_the_defaults_are_one_sqlite_file() -> None:
    settings = Settings.from_environment({})

    assert str(settings.url) == str(settings.read_url) == "sqlite:///./shop.db"
    assert str(settings.async_url) == "sqlite+aiosqlite:///./shop.db"


def test_the_environment_is_read() -> None:
    settings = Settings.from_environment({"SHOP_POOL_SIZE": "3", "SHOP_ECHO": "true", "PATH": "/bin"})

    assert (settings.pool_size, settings.echo) == (3, True)


@pytest.mark.parametrize(
    ("url", "twin"),
    [
        ("postgresql+psycopg://shop@db/shop", "postgresql+psycopg://shop@db/shop"),
        ("postgresql+psycopg2://shop@db/shop", "postgresql+asyncpg://shop@db/shop"),
        ("mysql+pymysql://shop@db/shop", "mysql+aiomysql://shop@db/shop"),
    ],
)
def test_the_async_engine_gets_a_driver_that_can_be_awaited(url: str, twin: str) -> None:
    assert str(Settings(database_url=url).async_url) == twin


def test_the_pool_options_suit_the_pool() -> None:
    settings = Settings(pool_size=3)

    assert pool_options(make_url("sqlite://"), settings) == {}
    assert pool_options(make_url("sqlite+aiosqlite://"), settings) == {}
    assert pool_options(make_url("sqlite:///shop.db"), settings)["pool_size"] == 3
    assert pool_options(make_url("postgresql+psycopg://shop@db/shop"), settings)["pool_size"] == 3
