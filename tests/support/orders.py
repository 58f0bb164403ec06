"""A shop whose list of users loads the orders of each user one by one: sync or async, and tests that count."""

from __future__ import annotations

from tests.support.projects import Project

_MODELS = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        orders: Mapped[list["Order"]] = relationship(back_populates="user")

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        user: Mapped[User] = relationship(back_populates="orders")
"""

_SYNC = """
    from collections.abc import Iterator

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, insert, select
    from sqlalchemy.orm import Session, sessionmaker

    from shop.models import Order, User

    engine = create_engine("sqlite:///production.db")
    SessionLocal = sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    def get_db() -> Iterator[Session]:
        with SessionLocal() as session:
            yield session

    @app.get("/users")
    def users(db: Session = Depends(get_db)) -> list[str]:
        found = db.scalars(select(User).order_by(User.id))
        return [f"{user.name}: {len(user.orders)}" for user in found]

    @app.get("/users/{user_id}")
    def user(user_id: int, db: Session = Depends(get_db)) -> str:
        return db.scalars(select(User).where(User.id == user_id)).one().name

    @app.post("/users/{name}", status_code=201)
    def add(name: str, db: Session = Depends(get_db)) -> None:
        with db.begin_nested():
            db.add(User(name=name))
        db.commit()

    @app.post("/many", status_code=201)
    def add_many(db: Session = Depends(get_db)) -> None:
        db.connection().execute(insert(User), [{"name": name} for name in "xyz"])
        db.commit()

    @app.get("/health")
    def health() -> str:
        return "ok"
"""

_ASYNC = """
    from collections.abc import AsyncIterator

    from fastapi import Depends, FastAPI
    from sqlalchemy import insert, select
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    from shop.models import Order, User

    engine = create_async_engine("sqlite+aiosqlite:///production.db")
    SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    async def get_db() -> AsyncIterator[AsyncSession]:
        async with SessionLocal() as session:
            yield session

    def listed(session) -> list[str]:
        found = session.scalars(select(User).order_by(User.id))
        return [f"{user.name}: {len(user.orders)}" for user in found]

    @app.get("/users")
    async def users(db: AsyncSession = Depends(get_db)) -> list[str]:
        return await db.run_sync(listed)

    @app.get("/users/{user_id}")
    async def user(user_id: int, db: AsyncSession = Depends(get_db)) -> str:
        return (await db.scalars(select(User).where(User.id == user_id))).one().name

    @app.post("/users/{name}", status_code=201)
    async def add(name: str, db: AsyncSession = Depends(get_db)) -> None:
        async with db.begin_nested():
            db.add(User(name=name))
        await db.commit()

    @app.post("/many", status_code=201)
    async def add_many(db: AsyncSession = Depends(get_db)) -> None:
        await (await db.connection()).execute(insert(User), [{"name": name} for name in "xyz"])
        await db.commit()

    @app.get("/health")
    async def health() -> str:
        return "ok"
"""
ORDER_APPS = {"sync": _SYNC, "async": _ASYNC}

#: Three users with an order each, of the test's own making.
_CONFTEST = """
    import pytest
    from shop.models import Order, User

    @pytest.fixture
    def three(db_session):
        db_session.add_all([User(name=name, orders=[Order()]) for name in ("ann", "bob", "eve")])
        db_session.commit()
"""


def orders(project: Project, kind: str = "sync", *ini: str) -> Project:
    """Write the shop; its n+1 is no finding here, as the tests are about counting."""
    lines = ("harness_app = shop.main:app", "asyncio_mode = auto", "harness_ignore = H5", *ini)
    project.ini(*lines).write(shop__models=_MODELS, shop__main=ORDER_APPS[kind], conftest=_CONFTEST)
    (project.path / "shop/__init__.py").touch()
    return project
