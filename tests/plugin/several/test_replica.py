"""A primary and its replica are one database: what is written through one is read through the other."""

from __future__ import annotations

import pytest

from tests.support.projects import STRICT, Project
from tests.support.several import MODELS

_MAIN = """
    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session
    from shop.models import User

    write_engine = create_engine("postgresql+psycopg://shop:hush@primary.invalid/shop")
    read_engine = create_engine("postgresql+psycopg://shop:hush@replica.invalid/shop")
    app = FastAPI()

    def get_write_db():
        with Session(write_engine) as session:
            yield session

    def get_read_db():
        with Session(read_engine) as session:
            yield session

    @app.post("/users/{name}", status_code=201)
    def add(name: str, db: Session = Depends(get_write_db)) -> None:
        db.add(User(name=name))
        db.commit()

    @app.get("/users")
    def names(db: Session = Depends(get_read_db)) -> list[str]:
        return list(db.scalars(select(User.name)))

    @app.post("/wrong/{name}")
    def wrong(name: str, db: Session = Depends(get_read_db)) -> None:
        db.add(User(name=name))
        db.commit()
"""
_ASYNC = (
    _MAIN.replace("from sqlalchemy.orm import Session", "from sqlalchemy.ext.asyncio import AsyncSession as Session")
    .replace("import create_engine, select", "import select")
    .replace(
        "    write_engine",
        "    from sqlalchemy.ext.asyncio import create_async_engine as create_engine\n    write_engine",
    )
    .replace("psycopg:", "asyncpg:")
    .replace("    def ", "    async def ")
    .replace("    with ", "    async with ")
    .replace("db.commit", "await db.commit")
    .replace("list(db", "list(await db")
)
_REPLICA = "harness_databases = replica: replica_of=default url=*@replica.*"
_TEST = """
    import pytest

    @pytest.mark.parametrize("again", [1, 2])
    async def test_it(async_client, again):
        assert (await async_client.post("/users/ann")).status_code == 201
        assert (await async_client.get("/users")).json() == ["ann"]
"""


def shop(project: Project, kind: str, *ini: str) -> Project:
    project.write(
        shop____init__="",
        shop__models=MODELS.partition("    class AnalyticsBase")[0],
        shop__main=_MAIN if kind == "sync" else _ASYNC,
    )
    return project.ini("harness_app = shop.main:app", "asyncio_mode = auto", *ini)


@pytest.mark.parametrize("ini", [(), (_REPLICA,)], ids=["not declared", "declared"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_both_land_in_the_same_transaction(project: Project, kind: str, ini: tuple[str, ...]) -> None:
    """And are put back together."""
    shop(project, kind, STRICT, *ini).write(test_it=_TEST)

    project.run_apart().assert_passed(2)


@pytest.mark.parametrize("isolation", ["rollback", "database"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_write_through_the_replica_is_refused(project: Project, kind: str, isolation: str) -> None:
    """As in production, with the line that sent it, if the replica is declared."""
    shop(project, kind, _REPLICA, f"harness_isolation = {isolation}").write(
        test_it="""
            async def test_it(async_client):
                await async_client.post("/wrong/ann")

            async def test_next(async_client):
                assert (await async_client.get("/users")).json() == []
        """
    )
    result = project.run_apart()

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "a write was sent to the replica 'replica': INSERT INTO users", "shop/main.py:", "write through the session of"
    )


def test_each_replica_has_a_primary_of_its_own(project: Project) -> None:
    """A replica of a database that is not the default one."""
    shop(
        project,
        "sync",
        "harness_databases =",
        "    people: url=*primary* metadata=shop.models:Base",
        "    reading: replica_of=people url=*replica*",
        "harness_metadata = shop.things:metadata",
    ).write(
        shop__things="""
            from sqlalchemy import Column, Integer, MetaData, Table

            metadata = MetaData()
            Table("things", metadata, Column("id", Integer, primary_key=True))
        """,
        test_it="""
            from sqlalchemy import inspect

            def test_it(client, harness, db_session):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann"]
                assert inspect(harness.engine("reading")).get_table_names() == ["users"]
                assert inspect(harness.engine()).get_table_names() == ["things"]
        """,
    )
    project.run().assert_passed(1)
