"""The five drivers that are measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver.

    Attributes:
        name: how the report calls it.
        backend: `sqlite` or `postgresql`.
        scheme: what SQLAlchemy's URLs begin with.
        asynchronous: whether engines are made with `create_async_engine`.
        bound_to_loop: its connections are of no use on another event loop, so a pool cannot outlive one.
        production: a URL that an application would have; nothing may ever connect to it.
    """

    name: str
    backend: str
    scheme: str
    asynchronous: bool
    production: str
    bound_to_loop: bool = False


_SERVER = "nobody@production.invalid/shop"

DRIVERS = (
    Driver("sqlite3", "sqlite", "sqlite", False, "sqlite:////nowhere/production.db"),
    Driver("aiosqlite", "sqlite", "sqlite+aiosqlite", True, "sqlite+aiosqlite:////nowhere/production.db"),
    Driver("psycopg", "postgresql", "postgresql+psycopg", False, f"postgresql+psycopg://{_SERVER}"),
    Driver("psycopg async", "postgresql", "postgresql+psycopg", True, f"postgresql+psycopg://{_SERVER}"),
    Driver("asyncpg", "postgresql", "postgresql+asyncpg", True, f"postgresql+asyncpg://{_SERVER}", bound_to_loop=True),
)


def drivers_of(backends: tuple[str, ...]) -> tuple[Driver, ...]:
    """Return the drivers of these backends."""
    return tuple(driver for driver in DRIVERS if driver.backend in backends)


def backend_of(name: str) -> str:
    """Return the backend of the driver that the report calls `name`."""
    return next(driver.backend for driver in DRIVERS if driver.name == name)
