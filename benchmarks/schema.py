"""A schema of thirty tables, of which a test uses two, as in a real application."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, Table, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TABLES = 30


class Base(DeclarativeBase):
    """All tables of the benchmarks."""


class User(Base):
    """Somebody who owns items."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(200), unique=True)
    items: Mapped[list[Item]] = relationship(back_populates="owner")


class Item(Base):
    """Something that is owned."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    owner: Mapped[User] = relationship(back_populates="items")


def _add_the_others() -> None:
    for number in range(TABLES - len(Base.metadata.tables)):
        Table(
            f"other_{number:02}",
            Base.metadata,
            Column("id", Integer, primary_key=True),
            Column("label", String(100), nullable=False, unique=True),
            Column("created_at", DateTime, server_default=func.now()),
            Column("user_id", ForeignKey("users.id"), index=True),
        )


_add_the_others()
