"""A shop whose endpoints commit, refuse and roll back."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import String, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:////nowhere/production.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    """The tables."""


class User(Base):
    """Somebody."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)


def get_db() -> Iterator[Session]:
    """A session for each request."""
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(get_db)]
app = FastAPI()


@app.post("/users/{name}", status_code=201)
def create(name: str, db: Db) -> int:
    """Commit, or answer 409."""
    user = User(name=name)
    db.add(user)
    try:
        db.commit()
    except IntegrityError as error:
        db.rollback()
        raise HTTPException(409) from error
    return user.id


@app.get("/users")
def names(db: Db) -> list[str]:
    """Everybody."""
    return sorted(db.scalars(select(User.name)))
