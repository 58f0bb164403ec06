"""An application with two databases, which both have a table `users`, and one with a primary and a replica."""

from __future__ import annotations

from tests.support.projects import Project

MODELS = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)

    class AnalyticsBase(DeclarativeBase):
        pass

    class Visitor(AnalyticsBase):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        visits: Mapped[int]
"""
_SYNC = """
    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, sessionmaker
    from shop.models import User, Visitor

    engine = create_engine("{default}")
    analytics_engine = create_engine("{analytics}")
    SessionLocal, AnalyticsSession = sessionmaker(engine), sessionmaker(analytics_engine)
    app = FastAPI()

    def get_db():
        with SessionLocal() as session:
            yield session

    def get_analytics():
        with AnalyticsSession() as session:
            yield session

    @app.post("/users/{{name}}", status_code=201)
    def add(name: str, db: Session = Depends(get_db), analytics: Session = Depends(get_analytics)) -> None:
        db.add(User(name=name))
        analytics.add(Visitor(visits=1))
        db.commit()
        analytics.commit()

    @app.get("/users")
    def both(db: Session = Depends(get_db), analytics: Session = Depends(get_analytics)) -> list[list]:
        names = list(db.scalars(select(User.name).order_by(User.id)))
        return [names, list(analytics.scalars(select(Visitor.visits).order_by(Visitor.id)))]
"""
_ASYNC = """
    from fastapi import Depends, FastAPI
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from shop.models import User, Visitor

    engine = create_async_engine("{default}")
    analytics_engine = create_async_engine("{analytics}")
    SessionLocal, AnalyticsSession = async_sessionmaker(engine), async_sessionmaker(analytics_engine)
    app = FastAPI()

    async def get_db():
        async with SessionLocal() as session:
            yield session

    async def get_analytics():
        async with AnalyticsSession() as session:
            yield session

    @app.post("/users/{{name}}", status_code=201)
    async def add(
        name: str, db: AsyncSession = Depends(get_db), analytics: AsyncSession = Depends(get_analytics)
    ) -> None:
        db.add(User(name=name))
        analytics.add(Visitor(visits=1))
        await db.commit()
        await analytics.commit()

    @app.get("/users")
    async def both(db: AsyncSession = Depends(get_db), analytics: AsyncSession = Depends(get_analytics)) -> list[list]:
        names = list(await db.scalars(select(User.name).order_by(User.id)))
        return [names, list(await analytics.scalars(select(Visitor.visits).order_by(Visitor.id)))]
"""
_APPS = {"sync": _SYNC, "async": _ASYNC}
_URLS = {
    ("sync", "sqlite"): "sqlite:///{}production.db",
    ("async", "sqlite"): "sqlite+aiosqlite:///{}production.db",
    ("sync", "postgres"): "postgresql+psycopg://shop:hush@production.invalid/{}production",
    ("async", "postgres"): "postgresql+asyncpg://shop:hush@production.invalid/{}production",
}
ANALYTICS = "url=*analytics* metadata=shop.models:AnalyticsBase"


def two_databases(
    project: Project, kind: str = "sync", *ini: str, default: str = "sqlite", analytics: str = "sqlite"
) -> Project:
    """Write the application with two databases; `sqlite` or `postgres` is what it has in production."""
    source = _APPS[kind].format(
        default=_URLS[kind, default].format(""), analytics=_URLS[kind, analytics].format("analytics-")
    )
    project.write(shop____init__="", shop__models=MODELS, shop__main=source)
    return project.ini("harness_app = shop.main:app", "asyncio_mode = auto", *(ini or (declared(),)))


def declared(database: str = "", also: str = "") -> str:
    """The line of the configuration that declares the second database."""
    return f"harness_databases = analytics: {database} {ANALYTICS} {also}"
