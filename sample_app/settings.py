"""Where the shop's databases are, and how their pools are sized."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

PREFIX = "SHOP_"

# A driver that cannot be awaited, and the one that takes its place in the async engine.
# psycopg is missing on purpose: one URL serves both kinds of engine.
ASYNC_TWINS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+pysqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgresql+psycopg2": "postgresql+asyncpg",
    "mysql+pymysql": "mysql+aiomysql",
    "mariadb+pymysql": "mariadb+aiomysql",
}


class Settings(BaseModel):
    """Everything the shop reads from its environment.

    The two pool numbers add up to the 40 threads that Starlette gives to `def` endpoints: with fewer
    connections, the slowest requests of a full house would wait for the pool.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = "sqlite:///./shop.db"
    async_database_url: str | None = None
    read_database_url: str | None = None
    pool_size: int = 10
    max_overflow: int = 30
    pool_timeout: float = 30.0
    pool_recycle: int = 1800
    echo: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read `SHOP_DATABASE_URL`, `SHOP_POOL_SIZE` and so on; what is unset keeps its default."""
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environment[key] for name, key in names.items() if key in environment})

    @property
    def url(self) -> URL:
        """Return the primary database, for the blocking engine."""
        return make_url(self.database_url)

    @property
    def async_url(self) -> URL:
        """Return the primary database, for the async engine."""
        if self.async_database_url:
            return make_url(self.async_database_url)
        return self.url.set(drivername=ASYNC_TWINS.get(self.url.drivername, self.url.drivername))

    @property
    def read_url(self) -> URL:
        """Return the replica that reads may go to; the primary, if there is none."""
        return make_url(self.read_database_url or self.database_url)
