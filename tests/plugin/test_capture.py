"""Whatever opens a connection, in whichever way and at whichever time, lands in the test's transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.projects import Project

TWICE = 'pytest.mark.parametrize("again", [False, True])'


def rows(path: Path) -> dict[str, int]:
    """How many rows each table of a database file has; none if there is no file (any more)."""
    if not path.exists():
        return {}
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    connection.close()
    return found


# -- when engines are made ---------------------------------------------------------------------------------------------


def test_engines_made_before_and_while_tests_run(project: Project) -> None:
    """At import of a conftest, of the app, of the test module, in a fixture, and in the test itself."""
    project.app().ini("harness_app = shop.main:app").write(
        conftest="""
            import pytest
            from sqlalchemy import create_engine

            early = create_engine("sqlite:///production.db")

            @pytest.fixture
            def made():
                return create_engine("sqlite:///production.db")
        """,
        test_it=f"""
            import pytest
            from conftest import early
            from sqlalchemy import create_engine, text
            from shop.main import engine

            here = create_engine("sqlite:///production.db")

            @{TWICE}
            def test_add(again, made, db_session):
                late = create_engine("sqlite:///production.db")
                for number, one in enumerate([early, engine, here, made, late]):
                    with one.begin() as connection:
                        connection.execute(text(f"INSERT INTO users (name) VALUES ('u{{number}}')"))
                for one in [early, engine, here, made, late]:
                    with one.connect() as connection:
                        assert connection.scalar(text("SELECT count(*) FROM users")) == 5
        """,
    )
    project.run("--import-mode=prepend").assert_passed(2)


def test_several_engines_of_one_app_share_the_transaction(project: Project) -> None:
    """A read and a write engine see each other's commits, as replicas of one database do."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it=f"""
            import pytest
            from sqlalchemy import create_engine
            from sqlalchemy.orm import Session
            from shop.models import User

            read, write = create_engine("sqlite:///production.db"), create_engine("sqlite:///production.db")

            @{TWICE}
            def test_add(harness, again):
                with Session(write) as session:
                    session.add(User(name="ann"))
                    session.commit()
                with Session(read) as session:
                    assert session.query(User).count() == 1
        """
    )
    project.run().assert_passed(2)


def test_an_app_on_postgresql_runs_on_sqlite(project: Project) -> None:
    """Engines of another dialect are redirected, synchronous and asynchronous ones."""
    project.app().ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it=f"""
            import pytest
            from sqlalchemy import create_engine, select
            from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
            from sqlalchemy.orm import Session
            from shop.models import User

            sync = create_engine(
                "postgresql+psycopg://shop:secret@production.invalid/shop", pool_size=5, pool_pre_ping=True
            )
            asynchronous = create_async_engine("postgresql+asyncpg://shop:secret@production.invalid/shop", pool_size=5)

            @{TWICE}
            async def test_add(harness, again):
                with Session(sync) as session:
                    session.add(User(name="ann"))
                    session.commit()
                    assert sync.dialect.name == "sqlite"
                async with AsyncSession(asynchronous) as session:
                    session.add(User(name="bob"))
                    await session.commit()
                    assert sorted(await session.scalars(select(User.name))) == ["ann", "bob"]
        """
    )
    project.run_apart().assert_passed(2)


def test_upserts_written_for_sqlite_and_returning_work(project: Project) -> None:
    """The dialect's own constructs are compiled for the database the tests run on."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it=f"""
            import pytest
            from sqlalchemy.dialects.sqlite import insert
            from shop.main import SessionLocal
            from shop.models import User

            @{TWICE}
            def test_upsert(harness, again):
                with SessionLocal() as session:
                    for _ in range(2):
                        statement = insert(User).values(name="ann").on_conflict_do_nothing().returning(User.id)
                        session.execute(statement).all()
                    session.commit()
                    assert session.query(User).count() == 1
        """
    )
    project.run().assert_passed(2)


# -- create_all, dispose, import-time work -----------------------------------------------------------------------------


def test_create_all_at_import_of_the_app(project: Project) -> None:
    """The tables it makes are in the test database, and making them twice is no error."""
    project.app().ini("harness_app = shop.start:app").write(
        shop__start="""
            from shop.main import app, engine
            from shop.models import Base

            Base.metadata.create_all(engine)
        """,
        test_it=f"""
            import pytest

            @{TWICE}
            def test_add(client, again):
                assert client.post("/users/ann").status_code == 201
        """,
    )
    project.run().assert_passed(2)


def test_create_all_at_import_of_a_test_module_without_an_app(project: Project) -> None:
    """The tables are there for the tests, though no option names any metadata."""
    project.app().write(
        test_it=f"""
            import pytest
            from shop.main import SessionLocal, engine
            from shop.models import Base, User

            Base.metadata.create_all(engine)

            @{TWICE}
            def test_add(again):
                with SessionLocal() as session:
                    session.add(User(name="ann"))
                    session.commit()
                    assert session.query(User).count() == 1
        """
    )
    project.run().assert_passed(2)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_lifespan_that_creates_tables_seeds_and_disposes(project: Project, kind: str) -> None:
    """As many applications do; each test sees the seed once, and the next one gets it anew."""
    if kind == "sync":
        up = "Base.metadata.create_all(engine)\n            with SessionLocal.begin() as s: s.add(User(name='seed'))"
        down = "engine.dispose()"
    else:
        up = (
            "async with engine.begin() as c: await c.run_sync(Base.metadata.create_all)\n"
            "            async with SessionLocal.begin() as s: s.add(User(name='seed'))"
        )
        down = "await engine.dispose()"
    project.app(kind).ini("harness_app = shop.start:app").write(
        shop__start=f"""
            from contextlib import asynccontextmanager
            from fastapi import FastAPI
            from shop.main import SessionLocal, engine
            from shop.main import app as inner
            from shop.models import Base, User

            @asynccontextmanager
            async def lifespan(app):
                {up.replace(chr(10) + "    ", chr(10) + "        ")}
                yield
                {down}

            app = FastAPI(lifespan=lifespan)
            app.include_router(inner.router)
        """,
        test_it=f"""
            import pytest

            @{TWICE}
            def test_add(client, again):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann", "seed"]
        """,
    )
    project.run_apart().assert_passed(2)


def test_rows_written_at_import_are_there_for_every_test_or_refused(project: Project) -> None:
    """Seeding at import of the app belongs to the run: each test finds the same rows."""
    project.app().ini("harness_app = shop.start:app").write(
        shop__start="""
            from shop.main import SessionLocal, app, engine
            from shop.models import Base, User

            Base.metadata.create_all(engine)
            with SessionLocal() as session:
                session.add(User(name="seed"))
                session.commit()
        """,
        test_it=f"""
            import pytest

            @{TWICE}
            def test_add(client, again):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann", "seed"]
        """,
    )
    project.run().assert_passed(2)


# -- ways to get a session ---------------------------------------------------------------------------------------------


def test_a_middleware_with_a_scoped_session(project: Project) -> None:
    """No dependency gives a session; a registry in a middleware does."""
    project.app().ini("harness_app = shop.scoped:app", "harness_ignore = H301").write(
        shop__scoped="""
            from fastapi import FastAPI
            from sqlalchemy.orm import scoped_session
            from shop.main import SessionLocal
            from shop.models import User

            registry = scoped_session(SessionLocal)
            app = FastAPI()

            @app.middleware("http")
            async def with_session(request, call_next):
                try:
                    response = await call_next(request)
                    registry.commit()
                    return response
                finally:
                    registry.remove()

            @app.post("/users/{name}")
            async def add(name: str) -> int:
                registry.add(User(name=name))
                registry.flush()
                return registry.query(User).count()
        """,
        test_it=f"""
            import pytest

            @{TWICE}
            def test_add(client, again):
                assert client.post("/users/ann").json() == 1
        """,
    )
    project.run_apart().assert_passed(2)


def test_an_async_scoped_session_in_a_middleware(project: Project) -> None:
    """Keyed by a context variable, as boilerplates do it."""
    project.app("async").ini("harness_app = shop.scoped:app", "asyncio_mode = auto").write(
        shop__scoped="""
            from contextvars import ContextVar
            from uuid import uuid4
            from fastapi import FastAPI
            from sqlalchemy import func, select
            from sqlalchemy.ext.asyncio import async_scoped_session
            from shop.main import SessionLocal
            from shop.models import User

            current: ContextVar[str] = ContextVar("current")
            registry = async_scoped_session(SessionLocal, scopefunc=current.get)

            class Middleware:
                def __init__(self, app): self.app = app
                async def __call__(self, scope, receive, send):
                    token = current.set(str(uuid4()))
                    try:
                        await self.app(scope, receive, send)
                    finally:
                        await registry.remove()
                        current.reset(token)

            app = FastAPI()
            app.add_middleware(Middleware)

            @app.post("/users/{name}")
            async def add(name: str) -> int:
                registry.add(User(name=name))
                await registry.commit()
                return await registry.scalar(select(func.count(User.id)))
        """,
        test_it=f"""
            import pytest

            @{TWICE}
            async def test_add(async_client, again):
                assert (await async_client.post("/users/ann")).json() == 1

            @{TWICE}
            def test_sync(client, again):
                assert client.post("/users/ann").json() == 1
        """,
    )
    project.run_apart().assert_passed(4)


def test_a_sqlmodel_application(project: Project) -> None:
    """Its session class is the one `db_session` has."""
    project.write(
        main="""
            from typing import Annotated, Optional
            from fastapi import Depends, FastAPI
            from sqlmodel import Field, Session, SQLModel, create_engine, select

            engine = create_engine("sqlite:///production.db")

            class Hero(SQLModel, table=True):
                id: Optional[int] = Field(default=None, primary_key=True)
                name: str

            def get_session():
                with Session(engine) as session:
                    yield session

            app = FastAPI()

            @app.post("/heroes/")
            def create(hero: Hero, session: Annotated[Session, Depends(get_session)]) -> Hero:
                session.add(hero)
                session.commit()
                session.refresh(hero)
                return hero
        """,
        test_it=f"""
            import pytest
            from main import Hero
            from sqlmodel import Session, select

            @{TWICE}
            def test_add(client, db_session, again):
                assert isinstance(db_session, Session)
                assert client.post("/heroes/", json={{"name": "ann"}}).json() == {{"id": 1, "name": "ann"}}
                assert [hero.name for hero in db_session.exec(select(Hero)).all()] == ["ann"]
        """,
    )
    project.run_apart("--harness-app=main:app").assert_passed(2)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_thread_or_task_that_the_app_starts_itself(project: Project, kind: str) -> None:
    """Work beside the request is in the test's transaction as well."""
    sync = """
        import threading
        from shop.main import app, later

        @app.post("/thread")
        def start() -> None:
            thread = threading.Thread(target=later, args=("bob",))
            thread.start()
            thread.join()
    """
    asynchronous = """
        import asyncio
        from shop.main import app, later

        @app.post("/thread")
        async def start() -> None:
            await asyncio.create_task(later("bob"))
    """
    project.app(kind).ini("harness_app = shop.threads:app").write(
        shop__threads=sync if kind == "sync" else asynchronous,
        test_it=f"""
            import pytest

            @{TWICE}
            def test_add(client, again):
                client.post("/thread")
                assert client.get("/users").json() == ["bob"]
        """,
    )
    project.run_apart().assert_passed(2)


# -- fixtures of the user that seed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["session", "package", "module", "class"])
def test_a_seed_of_a_wider_scope_is_visible_to_its_tests_and_undone_after_it(project: Project, scope: str) -> None:
    """Two modules, two classes each: every test that asks sees exactly one seed, and none sees a neighbour's rows."""
    test = """
        import pytest
        from shop.main import SessionLocal
        from shop.models import User

        class TestOne:
            @pytest.mark.parametrize("name", ["ann", "bob"])
            def test_add(self, seed, client, name):
                client.post(f"/users/{name}")
                assert client.get("/users").json() == [name, "seed"]

        class TestTwo:
            def test_add(self, seed, client):
                assert client.get("/users").json() == ["seed"]
    """
    project.app().ini("harness_app = shop.main:app").write(
        conftest=f"""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            @pytest.fixture(scope="{scope}")
            def seed():
                with SessionLocal() as session:
                    session.add(User(name="seed"))
                    session.commit()
                yield
                with SessionLocal() as session:
                    assert [user.name for user in session.query(User)] == ["seed"]
        """,
        test_a=test,
        test_b=test,
    )
    project.run().assert_passed(6)


def test_a_seed_is_gone_when_its_scope_has_ended(project: Project) -> None:
    """The next module starts without it."""
    project.app().ini("harness_app = shop.main:app").write(
        test_a="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            @pytest.fixture(scope="module")
            def seed():
                with SessionLocal() as session:
                    session.add(User(name="seed"))
                    session.commit()

            def test_seed(seed, client):
                assert client.get("/users").json() == ["seed"]
        """,
        test_b="def test_none(client):\n    assert client.get('/users').json() == []\n",
    )
    project.run().assert_passed(2)


def test_a_wide_fixture_first_asked_for_in_the_middle_of_a_test(project: Project) -> None:
    """A module fixture that a test asks for after it has written belongs to that test, or stays; nothing breaks."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            @pytest.fixture(scope="module")
            def seed():
                with SessionLocal() as session:
                    session.add(User(name="seed"))
                    session.commit()

            def test_first(client, request):
                client.post("/users/ann")
                request.getfixturevalue("seed")
                assert client.get("/users").json() == ["ann", "seed"]

            def test_second(client):
                assert "ann" not in client.get("/users").json()
        """
    )
    project.run().assert_passed(2)


def test_nested_seeds_of_three_scopes(project: Project) -> None:
    """Session, module and function fixtures that all commit, in one test."""
    seeds = "\n".join(
        f"""
@pytest.fixture(scope="{scope}")
def {scope}_seed({before}):
    with SessionLocal() as session:
        session.add(User(name="{scope}"))
        session.commit()
"""
        for scope, before in (("session", ""), ("module", "session_seed"), ("function", "module_seed"))
    )
    project.app().ini("harness_app = shop.main:app").write(
        conftest="import pytest\nfrom shop.main import SessionLocal\nfrom shop.models import User\n" + seeds,
        test_a="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_all(function_seed, client, again):
                assert client.get("/users").json() == ["function", "module", "session"]
        """,
        test_b="""
            def test_session(session_seed, client):
                assert client.get("/users").json() == ["session"]

            def test_module(module_seed, client):
                assert client.get("/users").json() == ["module", "session"]
        """,
    )
    project.run().assert_passed(4)


def test_a_class_with_xunit_setup_that_seeds(project: Project) -> None:
    """setup_class and setup_method commit as fixtures do."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from shop.main import SessionLocal
            from shop.models import User

            def add(name):
                with SessionLocal() as session:
                    session.add(User(name=name))
                    session.commit()

            class TestShop:
                @classmethod
                def setup_class(cls): add("class")
                def setup_method(self): add("method")
                def test_one(self, client): assert client.get("/users").json() == ["class", "method"]
                def test_two(self, client): assert client.get("/users").json() == ["class", "method"]

            def test_after(client):
                assert client.get("/users").json() == []
        """
    )
    project.run().assert_passed(3)


# -- nothing remains ---------------------------------------------------------------------------------------------------

_BUSY = """
    import pytest
    from shop.main import SessionLocal
    from shop.models import User

    @pytest.fixture(scope="session")
    def seed():
        with SessionLocal() as session:
            session.add(User(name="seed"))
            session.commit()

    @pytest.mark.parametrize("end", ["pass", "fail", "open"])
    def test_it(seed, client, end):
        client.post("/users/ann")
        if end == "fail":
            raise AssertionError
        if end == "open":
            SessionLocal().add(User(name="left open"))
"""


@pytest.mark.parametrize("kind", ["database", "fixture"])
def test_no_row_remains_in_a_file(project: Project, kind: str) -> None:
    """After a run with seeds, failures and open sessions, the file of the user has no row more than before."""
    path = project.path / "app_test.db"
    project.app().ini("harness_app = shop.main:app").write(test_it=_BUSY)
    arguments = [f"--harness-database=sqlite:///{path}"]
    if kind == "fixture":
        project.write(
            conftest=f"""
                import pytest

                @pytest.fixture(scope="session")
                def harness_database_url():
                    return "sqlite:///{path}"
            """
        )
        arguments = []
    result = project.run(*arguments)

    assert (result.passed, result.failed) == (2, 1), result.text
    assert sum(rows(path).values()) == 0


def test_what_was_in_the_file_before_stays(project: Project) -> None:
    """harness removes what it has made, and nothing else."""
    path = project.path / "app_test.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.execute("INSERT INTO notes VALUES ('mine')")
    connection.commit()
    connection.close()
    project.app().ini("harness_app = shop.main:app").write(
        test_it="def test_it(client):\n    assert client.post('/users/ann').status_code == 201\n"
    )
    project.run(f"--harness-database=sqlite:///{path}").assert_passed(1)

    assert {"notes": 1, "users": 0} == rows(path)


def test_a_killed_run_leaves_no_row(project: Project) -> None:
    """kill -9 in the middle of a test: what it had committed was never in the file."""
    path = project.path / "app_test.db"
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import os
            import signal

            def test_it(client, db_session):
                client.post("/users/ann")
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = project.run_apart(f"--harness-database=sqlite:///{path}")

    assert -9 == result.code, result.text
    assert sum(rows(path).values()) == 0


def test_a_run_after_a_killed_one_starts_clean(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables that are there already are no obstacle."""
    path = project.path / "app_test.db"
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import os
            import signal

            def test_it(client, db_session):
                assert client.post("/users/ann").status_code == 201
                if os.environ.get("KILL"):
                    os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    arguments = f"--harness-database=sqlite:///{path}"
    monkeypatch.setenv("KILL", "1")
    project.run_apart(arguments)
    monkeypatch.delenv("KILL")
    project.run_apart(arguments).assert_passed(1)


def test_isolation_none_commits_for_real(project: Project) -> None:
    """A run without isolation leaves its rows, as it was told."""
    path = project.path / "app_test.db"
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            def test_one(client):
                assert client.post("/users/ann").status_code == 201

            def test_two(client):
                assert client.get("/users").json() == ["ann"]
        """
    )
    project.run(f"--harness-database=sqlite:///{path}", "--harness-isolation=none").assert_passed(2)


def test_engines_have_their_own_pools_back_after_the_run(project: Project) -> None:
    """A process that goes on after pytest finds its engine as it was."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="def test_it(client):\n    client.post('/users/ann')\n",
        script="""
            import sys
            sys.path.insert(0, ".")
            import pytest
            from shop.main import engine

            pool, url, dialect = engine.pool, engine.url, engine.dialect
            code = pytest.main(["-p", "harness", "-q", "test_it.py"])
            assert code == 0, code
            assert (engine.pool, engine.url, engine.dialect) == (pool, url, dialect)
            print("as it was")
        """,
    )
    result = project.pytester.runpython(project.path / "script.py")
    result.stdout.fnmatch_lines(["as it was"])
