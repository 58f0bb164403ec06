"""A small application in which everything is about time and ids: on each driver, sync or async."""

from __future__ import annotations

MODELS = """
    from datetime import datetime
    from sqlalchemy import DDL, BigInteger, DateTime, Identity, Integer, SmallInteger, event, func
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "notes"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]
        created: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
        updated: Mapped[datetime] = mapped_column(
            DateTime(timezone=True), server_default=func.current_timestamp(), onupdate=func.now()
        )

    class Tag(Base):
        __tablename__ = "tags"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]

    class Big(Base):
        __tablename__ = "bigs"
        id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)

    class Small(Base):
        __tablename__ = "smalls"
        id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
"""

#: For an application that runs on SQLite, which numbers keys of exactly this type.
SQLITE_MODELS = MODELS.replace("BigInteger, Identity()", "Integer").replace("(SmallInteger", "(Integer")

_SYNC = """
    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, sessionmaker
    from shop.models import Base, Note

    engine = create_engine("{url}")
    SessionLocal = sessionmaker(engine)
    app = FastAPI()

    def get_db():
        with SessionLocal() as session:
            yield session

    @app.post("/notes/{{text}}", status_code=201)
    def add(text: str, db: Session = Depends(get_db)):
        note = Note(text=text)
        db.add(note)
        db.commit()
        return {{"id": note.id, "created": note.created, "updated": note.updated}}

    @app.put("/notes/{{id}}")
    def change(id: int, db: Session = Depends(get_db)):
        note = db.get_one(Note, id)
        note.text += "!"
        db.commit()
        return {{"id": note.id, "created": note.created, "updated": note.updated}}

    @app.get("/notes")
    def latest_first(db: Session = Depends(get_db)) -> list[str]:
        return list(db.scalars(select(Note.text).order_by(Note.created.desc())))
"""

_ASYNC = (
    _SYNC.replace("from sqlalchemy import create_engine, select", "from sqlalchemy import select")
    .replace("from sqlalchemy.orm import Session, sessionmaker", "from sqlalchemy.ext.asyncio import *")
    .replace("create_engine(", "create_async_engine(")
    .replace("sessionmaker(engine)", "async_sessionmaker(engine, expire_on_commit=False)")
    .replace("    def ", "    async def ")
    .replace("with SessionLocal", "async with SessionLocal")
    .replace("db.commit()", "db.commit()\n        await db.refresh(note)")
    .replace("        db.commit", "        await db.commit")
    .replace("db.get_one", "await db.get_one")
    .replace("list(db.scalars(", "list(await db.scalars(")
    .replace("db: Session", "db: AsyncSession")
)

#: Driver → the application that uses it.
APPS = {
    "sqlite3": _SYNC.format(url="sqlite:///production.db"),
    "aiosqlite": _ASYNC.format(url="sqlite+aiosqlite:///production.db"),
    "psycopg": _SYNC.format(url="postgresql+psycopg://nobody@production.invalid/shop"),
    "psycopg2": _SYNC.format(url="postgresql+psycopg2://nobody@production.invalid/shop"),
    "psycopg_async": _ASYNC.format(url="postgresql+psycopg://nobody@production.invalid/shop"),
    "asyncpg": _ASYNC.format(url="postgresql+asyncpg://nobody@production.invalid/shop"),
}
