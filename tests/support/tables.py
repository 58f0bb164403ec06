"""Tables of the isolation laws."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables here."""


class Thing(Base):
    """Something with a unique name."""

    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
    v: Mapped[str] = mapped_column(sa.String(100), unique=True)


class Part(Base):
    """Something that belongs to a thing; whether it does is checked at commit."""

    __tablename__ = "part"
    id: Mapped[int] = mapped_column(primary_key=True)
    thing_id: Mapped[int] = mapped_column(sa.ForeignKey("thing.id", deferrable=True, initially="DEFERRED"))


def without_deferral() -> sa.MetaData:
    """The same tables for a database that knows no deferrable constraints."""
    copied = sa.MetaData()
    for table in Base.metadata.sorted_tables:
        for constraint in table.to_metadata(copied).foreign_key_constraints:
            constraint.deferrable = constraint.initially = None
    return copied
