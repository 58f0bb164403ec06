"""An application with one of each: what the laws beside it observe."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import ForeignKey, create_engine, event, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")


class Shop:
    """The application, its engines and a client."""

    def __init__(self, path: Path) -> None:
        self.engine = create_engine(f"sqlite:///{path}")
        self.async_engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        for engine in (self.engine, self.async_engine.sync_engine):
            event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA foreign_keys=on"))
        self.make = sessionmaker(self.engine)
        self.make_async = async_sessionmaker(self.async_engine)
        Base.metadata.create_all(self.engine)
        with self.make() as session:
            session.add_all(
                [Author(name="Ada", books=[Book(title="One")]), Author(name="Bea", books=[Book(title="Two")])]
            )
            session.commit()
        self.app = FastAPI()
        self.shared: Any = None
        self.leaked: Any = None
        self._sync(self.app)
        self._async(self.app)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def __enter__(self) -> Shop:
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.portal.call(self._settle)  # type: ignore[union-attr]  # it is open
        self.client.__exit__()
        self.engine.dispose()

    async def _settle(self) -> None:
        """Find what an endpoint has lost in the test that lost it, and in the thread to which its greenlets belong."""
        gc.collect()
        await asyncio.sleep(0.01)
        await self.async_engine.dispose()

    def get_db(self) -> Iterator[Session]:
        db = self.make()
        try:
            yield db
        finally:
            db.close()

    async def get_async_db(self) -> AsyncIterator[AsyncSession]:
        async with self.make_async() as db:
            yield db

    def _sync(self, app: FastAPI) -> None:
        @app.get("/authors/{key}")
        def author(key: int, db: Session = Depends(self.get_db)) -> str:
            found = db.get(Author, key)
            if found is None:
                raise HTTPException(404)
            return found.name

        @app.post("/authors", status_code=201)
        def create(name: str, how: str = "commit", db: Session = Depends(self.get_db)) -> str:
            db.add(Author(name=name))
            db.flush()
            if how in ("commit", "rollback"):
                getattr(db, how)()
            return name

        @app.post("/forgotten")
        def forgotten(db: Session = Depends(self.get_db)) -> None:
            db.add(Author(name="Cleo"))
            found = db.scalars(select(Author).where(Author.id == 1).execution_options(autoflush=False)).one()
            with db.no_autoflush:
                found.name = "Ada L."

        @app.post("/swallowed")
        def swallowed(db: Session = Depends(self.get_db)) -> str:
            db.add(Author(name="Ada"))
            try:
                db.flush()
            except IntegrityError:
                return "fine"
            return "never"

        @app.get("/books")
        def books(db: Session = Depends(self.get_db)) -> list[str]:
            return [book.title for author in db.scalars(select(Author)) for book in author.books]

        @app.post("/written")
        def written(db: Session = Depends(self.get_db)) -> list[str]:
            author = Author(name="Cleo", books=[Book(title="Three")])
            db.add(author)
            db.commit()
            return [book.title for known in db.scalars(select(Author).order_by(Author.id)) for book in known.books]

        @app.post("/core")
        def core(commit: bool = False) -> None:
            with self.engine.connect() as connection:
                connection.execute(text("UPDATE authors SET name = name || '!'"))
                if commit:
                    connection.commit()

        @app.get("/overridden")
        def overridden() -> list[str]:
            class Own(Session):
                def execute(self, *given: Any, **options: Any) -> Any:
                    return super().execute(*given, **options)

            with Own(self.engine) as db:
                return [book.title for author in db.scalars(select(Author)) for book in author.books]

        @app.post("/taken-back")
        def taken_back(db: Session = Depends(self.get_db)) -> None:
            db.execute(text("UPDATE authors SET name = 'kept' WHERE id = 1"))
            inner = db.begin_nested()
            db.execute(text("UPDATE authors SET name = 'lost' WHERE id = 2"))
            inner.rollback()
            db.commit()

        @app.post("/raw")
        def raw() -> None:
            connection = self.engine.raw_connection()
            connection.cursor().execute("UPDATE authors SET name = name || '!'")
            connection.commit()
            connection.close()

        @app.post("/autocommit")
        def autocommit() -> None:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("UPDATE authors SET name = 'kept' WHERE id = 1"))
                connection.execute(text("UPDATE authors SET name = 'kept too' WHERE id = 2"))

        @app.post("/stale")
        def stale(refresh: bool = False, db: Session = Depends(self.get_db)) -> str:
            found = db.get_one(Author, 1)
            db.execute(
                update(Author).where(Author.id == 1).values(name="new").execution_options(synchronize_session=False)
            )
            if refresh:
                db.refresh(found)
            return found.name

        @app.post("/background")
        def background(tasks: BackgroundTasks, db: Session = Depends(self.get_db)) -> None:
            def later() -> None:
                deeper()

            def deeper() -> None:
                db.execute(text("SELECT 2"))

            db.execute(select(1))
            tasks.add_task(later)

        @app.get("/shared")
        def shared() -> None:
            if self.shared is None:
                self.shared = self.make()
            self.shared.execute(select(1))

        @app.get("/leak")
        def leak() -> None:
            self.leaked = self.make()
            self.leaked.execute(select(1))

    def _async(self, app: FastAPI) -> None:
        @app.get("/async/blocking")
        async def blocking(db: Session = Depends(self.get_db)) -> int:
            return len(db.scalars(select(Author)).all())

        @app.get("/async/authors/{key}")
        async def author(key: int, db: AsyncSession = Depends(self.get_async_db)) -> str:
            return (await db.get_one(Author, key)).name

        @app.get("/async/gather")
        async def gather(db: AsyncSession = Depends(self.get_async_db)) -> None:
            async def one(key: int) -> None:
                await db.execute(select(Author).where(Author.id == key))

            await db.execute(select(1))
            await asyncio.gather(one(1), one(2))

        @app.get("/async/lazy")
        async def lazy(db: AsyncSession = Depends(self.get_async_db)) -> int:
            return len((await db.get_one(Author, 1)).books)

        @app.post("/async/unawaited")
        async def unawaited(db: AsyncSession = Depends(self.get_async_db)) -> None:
            db.add(Author(name="Dora"))
            await db.flush()
            db.commit()  # type: ignore[unused-coroutine]  # the mistake

        @app.get("/async/abandoned")
        async def abandoned() -> int:
            async for db in self.get_async_db():
                return len((await db.scalars(select(Author))).all())
            return 0
