"""The model is what the migrations make."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sample_app.database import Db
from sample_app.schemas import FromModel

app = FastAPI()


class Base(DeclarativeBase):
    """The base of all models."""


class Book(Base):
    """A book about coffee."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))


class BookRead(FromModel):
    """A book."""

    title: str


@app.get("/books", response_model=list[BookRead])
def read_books(db: Db) -> Sequence[Book]:
    return db.scalars(select(Book)).all()
