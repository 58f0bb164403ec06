"""A shop whose users own items, on each database, with what seed data needs: relationships, JSON, server defaults."""

from __future__ import annotations

import pytest

from tests.support.projects import Project, Result
from tests.support.servers import postgres_url

__all__ = ["postgres_url"]

_MODELS = """
    from datetime import datetime

    from sqlalchemy import JSON, ForeignKey, func
    from sqlalchemy.ext.mutable import MutableDict
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)
        made: Mapped[datetime] = mapped_column(server_default=func.now())
        items: Mapped[list["Item"]] = relationship(back_populates="owner")

    class Item(Base):
        __tablename__ = "items"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        owner: Mapped[User] = relationship(back_populates="items")
        tags: Mapped[dict] = mapped_column(MutableDict.as_mutable(JSON), default=dict)
        notes: Mapped[list] = mapped_column(JSON, default=list)
"""


class Shop:
    """The project, and the database that its runs are given."""

    def __init__(self, project: Project, database: str) -> None:
        self.project = project
        self.database = database

    def app(self, kind: str = "sync") -> Shop:
        """Write the shop, `sync` or `async`."""
        self.project.app(kind).ini("harness_app = shop.main:app").write(shop__models=_MODELS)
        return self

    def write(self, **sources: str) -> Shop:
        """Write modules."""
        self.project.write(**sources)
        return self

    def run(self, *arguments: str) -> Result:
        """Run pytest in this process."""
        return self.project.run(f"--harness-database={self.database}", *arguments)

    def run_apart(self, *arguments: str) -> Result:
        """Run pytest in a process of its own."""
        return self.project.run_apart(f"--harness-database={self.database}", *arguments)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """What `--harness-database` is given."""
    selected = request.config.getoption("db")
    if selected and request.param not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    return "sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def shop(project: Project, database: str) -> Shop:
    """The shop's project on one database, its application a sync one."""
    return Shop(project, database).app()
